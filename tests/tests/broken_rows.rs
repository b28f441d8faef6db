//! One row that cannot be read keeps nobody else's tokens alive (invariant I14).

use std::sync::Arc;

use bytes::Bytes;
use proofkey::core::Record;
use proofkey_tests::{ADA, Rows, World};

#[test]
fn signing_out_goes_past_a_damaged_grant_and_says_so() {
    let rows = Arc::new(Rows::default());
    let world = World::over(Arc::clone(&rows) as _, |builder| builder);
    let tokens = [world.sign_in(), world.sign_in(), world.sign_in()];
    let grants: Vec<_> = rows.all().into_iter().filter(|(key, _)| key.as_str().starts_with("g.")).collect();
    assert_eq!(grants.len(), 3);
    // The first in the order of the listing, so that the others come after it.
    let (key, record) = &grants[0];
    rows.overwrite(key, Record::new(*record.version(), Bytes::from_static(b"damaged")));

    assert_eq!(world.server.revoke_all(ADA).unwrap_err().status(), 500);
    let statuses = tokens.each_ref().map(|tokens| world.get("/auth/userinfo", &tokens.access).status.as_u16());
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 2, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 500).count(), 1, "{statuses:?}");

    // Once the row is mended, a repetition ends its grant.
    rows.overwrite(key, record.clone());
    assert_eq!(world.server.revoke_all(ADA).unwrap(), 1);
    assert!(tokens.iter().all(|tokens| !world.works(&tokens.access)));
}
