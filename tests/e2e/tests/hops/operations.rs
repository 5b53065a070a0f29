//! Operations that clients send all day, under the names they are listed by.

pub const QUERIES: &[(&str, &str)] = &[
    ("pick a region", "{ regions { id name } }"),
    (
        "browse with cards",
        "{ gatherings(first: 20, sort: POPULAR) {
          edges { node { title memberCount region { name } host { id nickname avatarUrl } } }
          pageInfo { hasNextPage endCursor } } }",
    ),
    (
        "browse with hosts and schedules",
        "{ gatherings(first: 20) { edges { node { title host { bio }
          schedules(first: 3) { edges { node { title goingCount } } } } } } }",
    ),
    (
        "gathering page",
        "query($gathering: ID!) { node(id: $gathering) { ... on Gathering {
          title description host { nickname } viewerMembership { role }
          members(first: 20) { edges { node { role member { nickname avatarUrl } } } }
          schedules(first: 5) { edges { node { title startsAt status viewerOption } } } } } }",
    ),
    (
        "gathering page with two lists of members",
        "query($gathering: ID!) { node(id: $gathering) { ... on Gathering {
          managers: members(role: MANAGER, first: 5) { edges { node { member { nickname } } } }
          members(first: 20) { edges { node { member { nickname bio } } } } } } }",
    ),
    (
        "schedule page",
        "query($schedule: ID!) { node(id: $schedule) { ... on Schedule {
          title status viewerOption viewerAttendance { state waitlistPosition } icsUrl
          gathering { title host { nickname } }
          attendances(first: 20) { edges { node { member { nickname } } } } } } }",
    ),
    (
        "four levels",
        "query($gathering: ID!) { node(id: $gathering) { ... on Gathering {
          schedules(first: 3) { edges { node {
            attendances(first: 5) { edges { node { member { nickname bio } } } } } } } } } }",
    ),
    ("who am I", "{ viewer { id email member { id nickname } } }"),
    ("my profile", "{ viewer { member { nickname bio joinedAt } } }"),
    (
        "my gatherings",
        "{ viewer { memberships(first: 20, status: ACTIVE) { edges { node { role
          gathering { title host { nickname } } } } } } }",
    ),
    (
        "my calendar",
        "{ viewer { attendances(first: 20) { edges { node { state
          schedule { title startsAt gathering { title } } } } } } }",
    ),
    (
        "my home",
        "{ viewer { member { nickname }
          memberships(first: 5) { edges { node { gathering { title } } } }
          attendances(first: 5) { edges { node { schedule { title } } } } }
          gatherings(first: 5) { edges { node { title } } } }",
    ),
    (
        "member by nickname",
        "{ member(by: { nickname: \"host\" }) { nickname bio viewerHasBlocked } }",
    ),
    (
        "gathering page with reviews and messages",
        "query($gathering: ID!) { node(id: $gathering) { ... on Gathering { title rating
          reviews(first: 5) { edges { node { rating body author { nickname } } } }
          messages(last: 20) { edges { node { body sentAt author { nickname avatarUrl } } } } } } }",
    ),
    (
        "browse with the last message and review of each",
        "{ gatherings(first: 20) { edges { node { rating
          messages(last: 1) { edges { node { body } } }
          reviews(first: 1) { edges { node { body schedule { title } } } } } } } }",
    ),
    (
        "schedule page with reviews",
        "query($over: ID!) { node(id: $over) { ... on Schedule { title
          reviews(first: 5) { edges { node { rating body author { nickname bio } } } } } } }",
    ),
    (
        "my bell",
        "{ viewer { unreadNotificationCount
          notifications(first: 20) { edges { node { kind text subject { id } } } } } }",
    ),
    ("a message and where it was said", "query($message: ID!) { node(id: $message) {
          ... on ChatMessage { body gathering { title } } } }"),
    (
        "my wallet and what it paid for",
        "{ viewer { wallet { balance held entries(first: 20) { edges { node {
          kind amount order { state schedule { title } } } } } } } }",
    ),
    (
        "my places and their orders",
        "{ viewer { attendances(first: 20) { edges { node { state order { state amount } } } } } }",
    ),
    (
        "find anything",
        "{ search(query: \"걷기\", first: 20) { totalCount edges { highlights { text } node {
          ... on Gathering { title host { nickname } } ... on Schedule { title goingCount }
          ... on Member { nickname bio } } } } }",
    ),
    (
        "find gatherings with their hosts and schedules",
        "{ search(query: \"걷기\", kinds: [GATHERING], first: 20) { edges { node {
          ... on Gathering { host { bio } schedules(first: 1) { edges { node { title } } } } } } } }",
    ),
    ("begin to type", "{ searchSuggestions(prefix: \"걷\") popularSearches { term } }"),
    ("eleven things by id", "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"),
];

pub const MUTATIONS: &[(&str, &str)] = &[
    (
        "sign up",
        "mutation { authSignUp(input: {
          email: \"new@example.com\", password: \"long enough\", nickname: \"new\" }) {
          tokens { accessToken } viewer { email member { nickname } } userErrors { code } } }",
    ),
    (
        "log in",
        "mutation($email: String!, $password: String!) {
          authLogIn(input: { email: $email, password: $password }) {
          tokens { accessToken } viewer { email member { nickname } } userErrors { code } } }",
    ),
    (
        "start a gathering",
        "mutation($region: ID!) { gatheringCreate(input: { title: \"새 모임\", capacity: 5,
          description: \"새로\", category: GAMES, regionId: $region }) {
          gathering { id title host { nickname } viewerMembership { role } } userErrors { code } } }",
    ),
    (
        "join and see the gathering",
        "mutation($other: ID!) { gatheringJoin(input: { gatheringId: $other }) {
          membership { status role gathering { title memberCount } } userErrors { code } } }",
    ),
    (
        "withdraw and see the schedule",
        "mutation($schedule: ID!) { scheduleWithdraw(input: { scheduleId: $schedule }) {
          attendance { state schedule { goingCount viewerOption } } userErrors { code } } }",
    ),
    (
        "attend what overlaps and see with what",
        "mutation($schedule: ID!, $key: String!) {
          scheduleAttend(input: { scheduleId: $schedule }) @idempotent(key: $key) {
          userErrors { code ... on ScheduleOverlapError { overlapping { title } } } } }",
    ),
    (
        "attend and see the schedule",
        "mutation($schedule: ID!, $key: String!) {
          scheduleAttend(input: { scheduleId: $schedule, allowOverlap: true })
          @idempotent(key: $key) {
          attendance { state schedule { goingCount viewerOption gathering { title } } }
          userErrors { code } } }",
    ),
    (
        "change a profile",
        "mutation { memberUpdate(input: { bio: \"걷습니다\" }) {
          member { nickname bio } userErrors { code } } }",
    ),
    (
        "say something",
        "mutation($gathering: ID!, $key: ID!) { chatMessageSend(input: {
          gatheringId: $gathering, body: \"안녕하세요\", clientId: $key }) {
          edge { cursor node { body author { nickname } } } userErrors { code } } }",
    ),
    (
        "take a message away",
        "mutation($message: ID!) { chatMessageDelete(input: { messageId: $message }) {
          message { body } userErrors { code } } }",
    ),
    (
        "write a review and see of what",
        "mutation($over: ID!) { reviewWrite(input: {
          scheduleId: $over, rating: 5, body: \"좋았어요\" }) {
          review { rating author { nickname } schedule { title } } userErrors { code } } }",
    ),
    (
        "take a review back",
        "mutation($review: ID!) { reviewDelete(input: { reviewId: $review }) {
          deletedId userErrors { code } } }",
    ),
    (
        "read what the bell told",
        "mutation($notification: ID!) { notificationMarkRead(input: { upToId: $notification }) {
          viewer { unreadNotificationCount } userErrors { code } } }",
    ),
    (
        "add money and see how much there is",
        "mutation($money: String!) { walletTopUp(input: { amount: 10000 })
          @idempotent(key: $money) {
          viewer { wallet { balance held } } userErrors { code } } }",
    ),
    (
        "attend a paid schedule and see the order",
        "mutation($payable: ID!, $seat: String!) {
          scheduleAttend(input: { scheduleId: $payable, allowOverlap: true })
          @idempotent(key: $seat) {
          attendance { state holdExpiresAt order { state amount } } userErrors { code } } }",
    ),
    ("log out", "mutation { authLogOut(input: {}) { userErrors { code } } }"),
];
