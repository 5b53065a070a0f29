//! Who hides whom.

use moim_kit::id::MemberId;
use moim_kit::{Fault, Timestamp};
use moim_storage::{Tx, args};

const INSERT: &str = "
INSERT INTO block (member_id, blocked_id, created_at_us) VALUES ($1, $2, $3)
ON CONFLICT (member_id, blocked_id) DO NOTHING";
const DELETE: &str = "DELETE FROM block WHERE member_id = $1 AND blocked_id = $2";

/// Hides a member; hidden already, nothing happens.
pub(crate) async fn insert_block(
    tx: &mut Tx,
    member: MemberId,
    blocked: MemberId,
    now: Timestamp,
) -> Result<(), Fault> {
    tx.execute(INSERT, args![member, blocked, now]).await?;
    Ok(())
}

/// Shows a member again; shown already, nothing happens.
pub(crate) async fn delete_block(
    tx: &mut Tx,
    member: MemberId,
    blocked: MemberId,
) -> Result<(), Fault> {
    tx.execute(DELETE, args![member, blocked]).await?;
    Ok(())
}
