//! What the room does about facts of others: late, twice and out of order.

use crate::*;

moim_testbed::on_both_databases! {
    async fn joining_and_at_once_writing_works_on_a_slow_bus(bed: Bed) {
        let world = World::new(bed).await;
        let gathering = GatheringId::fresh();
        world.gatherings.hold();
        let member = MemberId::fresh();
        let card = world.tell_card(member, 1, "하나");
        let (role, status) = (MembershipRole::Member, MembershipStatus::Active);
        let standing = world.tell_standing(gathering, member, role, status);
        let unaware = world.send(world.bed.call(member), say(gathering, "하나", "a")).await;
        assert_eq!(unaware.unwrap_err().reason(), "NOT_A_MEMBER", "the fact is still on its way");
        let call = world.seen(member, [card, standing]);
        let sending = world.send(call, say(gathering, "하나", "a"));
        let bus = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            world.gatherings.release();
        };
        let (sent, ()) = tokio::join!(sending, bus);
        assert_eq!(sent.unwrap().message.unwrap().author.unwrap().nickname, "하나");
    }

    async fn nobody_writes_whose_card_is_not_here(bed: Bed) {
        let config = Config { card_wait_ms: 200, ..Config::default() };
        let world = World::with(bed, config).await;
        let (gathering, member) = (GatheringId::fresh(), MemberId::fresh());
        let (role, status) = (MembershipRole::Member, MembershipStatus::Active);
        world.arrived(&[world.tell_standing(gathering, member, role, status)]).await;
        let fault = world.send(world.bed.call(member), say(gathering, "하나", "a")).await;
        let fault = fault.unwrap_err();
        assert!(fault.reason() == "CARD_MISSING" && fault.code().is_retryable());
        world.arrived(&[world.tell_card(member, 1, "하나")]).await;
        world.send(world.bed.call(member), say(gathering, "하나", "a")).await.unwrap();
    }

    async fn a_departure_is_told_once(bed: Bed) {
        let world = World::new(bed).await;
        let gathering = GatheringId::fresh();
        let member = world.guest(gathering).await;
        let (role, left) = (MembershipRole::Member, MembershipStatus::Left);
        let mark = world.tell_standing(gathering, member, role, left);
        let state = MembershipState {
            id: mark.aggregate().to_string(),
            gathering_id: gathering.to_string(),
            member_id: member.to_string(),
            role: role.into(),
            status: left.into(),
        };
        // The same again, an older version late, and a further one that is no departure any more.
        world.gatherings.push("membership", mark.aggregate(), 2, &state);
        let active = MembershipState { status: MembershipStatus::Active.into(), ..state.clone() };
        world.gatherings.push("membership", mark.aggregate(), 1, &active);
        let banned = MembershipStatus::Banned;
        world.arrived(&[world.tell_standing(gathering, member, role, banned)]).await;
        // Who only asked to come in and was refused was never there.
        let other = MemberId::fresh();
        world.tell_standing(gathering, other, role, MembershipStatus::Pending);
        world.arrived(&[world.tell_standing(gathering, other, role, MembershipStatus::Rejected)]).await;
        let told = world.told("chat_departure", 1).await;
        assert_eq!((told[0].aggregate, told[0].version), (mark.aggregate(), 2));
        assert_eq!(told[0].topic, Some(gathering.uuid()));
        let fault = world.send(world.bed.call(member), say(gathering, "하나", "a")).await;
        assert_eq!(fault.unwrap_err().reason(), "NOT_A_MEMBER");
    }

    async fn a_new_nickname_shows_and_an_old_one_never_returns(bed: Bed) {
        let world = World::new(bed).await;
        let gathering = GatheringId::fresh();
        let member = world.guest(gathering).await;
        world.says(member, gathering, "a").await;
        world.arrived(&[world.tell_card(member, 3, "세번째")]).await;
        world.tell_card(member, 2, "두번째");
        world.arrived(&[world.tell_card(MemberId::fresh(), 1, "그 다음")]).await;
        let lists = world.list(world.bed.call(member), &[gathering], last(1)).await.unwrap();
        assert_eq!(lists[0].messages[0].author.as_ref().unwrap().nickname, "세번째");
    }
}
