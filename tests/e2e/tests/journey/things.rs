//! Finding anything by its id, and being spoken to in one's own language.

use moim_e2e::{error_codes, json, on_both_shapes};

on_both_shapes! {
    async fn everything_with_an_id_is_found_by_it(platform: Platform) {
        let host = platform.sign_up("host").await;
        let gathering = host.create_gathering(json!({})).await;
        let schedule = host.create_schedule(&gathering, json!({})).await;
        let attendance = host.attend(&schedule).await["id"].as_str().unwrap().to_owned();
        let ask = "query($id: ID!) {
          node(id: $id) { ... on Gathering { viewerMembership { id } } }
        }";
        let data = host.data(ask, json!({ "id": gathering })).await;
        let membership = data["node"]["viewerMembership"]["id"].as_str().unwrap().to_owned();
        let things = [
            ("Member", host.id.as_str()),
            ("Viewer", &host.viewer_id),
            ("Gathering", &gathering),
            ("Membership", &membership),
            ("Schedule", &schedule),
            ("Attendance", &attendance),
        ];
        let node = "query($id: ID!) { node(id: $id) { __typename id } }";
        for (name, id) in things {
            let data = host.data(node, json!({ "id": id })).await;
            assert_eq!(data["node"], json!({ "__typename": name, "id": id }));
        }

        let region = host.region().await;
        let mut ids: Vec<_> = things.iter().map(|(_, id)| *id).rev().collect();
        ids.insert(2, "nonsense");
        ids.push(&region);
        ids.push(&gathering);
        let nodes = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";
        let data = host.data(nodes, json!({ "ids": ids })).await;
        let found: Vec<_> = data["nodes"].as_array().unwrap().iter()
            .map(|node| node["id"].as_str()).collect();
        let expected: Vec<_> = ids.iter()
            .map(|id| Some(*id).filter(|id| *id != "nonsense" && *id != region)).collect();
        assert_eq!(found, expected);

        let stranger = platform.client();
        let data = stranger.data(node, json!({ "id": host.viewer_id })).await;
        assert!(data["node"].is_null(), "a viewer is seen by nobody else: {data}");
        let many = json!({ "ids": vec![&host.id; 101] });
        let refused = stranger.graphql(nodes, many).await;
        assert_eq!(error_codes(&refused), ["INVALID"]);
    }

    async fn people_are_spoken_to_in_the_language_they_ask_for(platform: Platform) {
        let host = platform.sign_up("host").await;
        let is_korean = |text: &str| text.chars().any(|letter| ('가'..='힣').contains(&letter));
        let update = "mutation { memberUpdate(input: { nickname: \"x\" }) {
          userErrors { code message path }
        } }";
        let create = "mutation { gatheringLeave(input: { gatheringId: \"nonsense\" }) {
          userErrors { code message }
        } }";
        for (languages, korean) in [
            ("ko", true),
            ("ko-KR,ko;q=0.9,en;q=0.8", true),
            ("en-GB,en;q=0.9,ko;q=0.1", false),
            ("fr", false),
        ] {
            let reader = host.reading(languages);
            for mutation in [update, create] {
                let body = reader.graphql(mutation, json!({})).await;
                let payload = body["data"].as_object().unwrap().values().next().unwrap();
                let message = payload["userErrors"][0]["message"].as_str().unwrap();
                assert_eq!(is_korean(message), korean, "{languages}: {message}");
            }
            let body = reader.without_token().graphql(update, json!({})).await;
            assert_eq!(error_codes(&body), ["UNAUTHENTICATED"]);
            let message = body["errors"][0]["message"].as_str().unwrap();
            assert_eq!(is_korean(message), korean, "{languages}: {message}");
        }
    }
}
