//! Values: kept for a while, in the order they are asked for.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::sleep;

use crate::on_both_halves;

const LONG: Duration = Duration::from_secs(600);

fn keys<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(str::to_owned).into()
}

on_both_halves! {
    async fn values_come_in_the_order_of_their_keys(shared) {
        shared.keep("a", Bytes::from_static(b"1"), LONG).await.unwrap();
        shared.keep("b", Bytes::from_static(&[0, 255]), LONG).await.unwrap();
        let values = shared.values(&keys(["b", "none", "a"])).await.unwrap();
        assert_eq!(values, [Some(Bytes::from_static(&[0, 255])), None, Some(Bytes::from_static(b"1"))]);
        assert!(shared.values(&[]).await.unwrap().is_empty());
    }

    async fn the_last_value_of_a_key_stays(shared) {
        for value in ["1", "2"] {
            shared.keep("a", Bytes::from_static(value.as_bytes()), LONG).await.unwrap();
        }
        assert_eq!(shared.values(&keys(["a"])).await.unwrap(), [Some(Bytes::from_static(b"2"))]);
    }

    async fn a_value_goes_when_its_time_is_over_or_when_it_is_forgotten(shared) {
        shared.keep("a", Bytes::from_static(b"1"), Duration::from_millis(20)).await.unwrap();
        shared.keep("b", Bytes::from_static(b"2"), LONG).await.unwrap();
        shared.keep("c", Bytes::from_static(b"3"), Duration::MAX).await.unwrap();
        sleep(Duration::from_millis(60)).await;
        shared.forget(&keys(["b", "none"])).await.unwrap();
        shared.forget(&[]).await.unwrap();
        let values = shared.values(&keys(["a", "b", "c"])).await.unwrap();
        assert_eq!(values, [None, None, Some(Bytes::from_static(b"3"))]);
    }
}
