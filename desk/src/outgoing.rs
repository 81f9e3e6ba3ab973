//! What is to travel back: receipts as signed control messages per device, capabilities to register or revoke, and what
//! the hub may delete. Acknowledgements travel here, together with the receipts, and never at `pull`.

use std::collections::BTreeMap;
use std::io::Write;

use landfall_wire::bundle::{BundleWriter, CapOp, Item, Kind, MAX_ACKS, Right};
use landfall_wire::clock::day_of;
use landfall_wire::control::{Control, ControlBody, MAX_RECEIPTS, Receipt};
use landfall_wire::ids::{DeviceId, Digest, GroupId};

use crate::{Desk, Result};

/// For how many days receipts are repeated when everything is said once more: the hub's time to live.
const REPEAT_DAYS: u32 = 60;

/// What a bundle of `outgoing` holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// Receipts in it.
    pub receipts: u64,
    /// Devices that are told something.
    pub devices: u64,
    /// Envelopes that the hub may delete.
    pub acks: u64,
    /// Changes of capabilities.
    pub capabilities: u64,
}

impl Desk {
    /// Writes the bundle. What has been told once is not told again, unless the phone sends the record again (then it
    /// has not heard), or `again` is set: a bundle that was lost on the way costs nothing but time.
    ///
    /// # Errors
    /// Those of the store and of the writer.
    pub fn outgoing<W: Write>(&mut self, out: W, again: bool) -> Result<(Outgoing, W)> {
        let reading = self.clock.read();
        if again {
            self.store
                .tell_all_again(day_of(reading.wall_s).saturating_sub(REPEAT_DAYS))?;
        }
        let org = self.store.organisation()?;
        let devices = self.store.devices()?;
        let mut made = Outgoing::default();
        let mut bundle = BundleWriter::new(out, Kind::Downlink)?;

        // Capabilities first: the hub must know a mailbox before something is put into it.
        let group = GroupId::from_bytes(*org.inbox.as_bytes());
        for device in &devices {
            let ops = if device.revoked {
                vec![
                    CapOp::Revoke {
                        hash: device.write_cap,
                    },
                    CapOp::Revoke {
                        hash: device.read_cap,
                    },
                ]
            } else {
                vec![
                    CapOp::Register {
                        hash: device.write_cap,
                        right: Right::Write,
                        mailbox: org.inbox,
                        group: None,
                    },
                    CapOp::Register {
                        hash: device.read_cap,
                        right: Right::Read,
                        mailbox: device.downlink,
                        group: Some(group),
                    },
                ]
            };
            made.capabilities += ops.len() as u64;
            for op in ops {
                bundle.write(&Item::Cap(op))?;
            }
        }

        let mut receipts: BTreeMap<DeviceId, Vec<Receipt>> = BTreeMap::new();
        let mut told = Vec::new();
        let mut acks: Vec<Digest> = Vec::new();
        for row in self.store.envelopes()? {
            if row.told == 0 {
                acks.push(row.digest);
            }
            if row.told >= row.level.code() {
                continue;
            }
            let receipt = Receipt {
                digest: row.digest,
                level: row.level,
                reason: row.reason,
            };
            match row.device {
                Some(device) => receipts.entry(device).or_default().push(receipt),
                // Nobody can say whose it is: every phone is told, and the one that knows the digest acts.
                None => {
                    for device in &devices {
                        receipts.entry(device.id).or_default().push(receipt);
                    }
                }
            }
            told.push((row.digest, row.level.code()));
        }

        let mut serials = Vec::new();
        for device in devices.iter().filter(|device| !device.revoked) {
            let Some(own) = receipts.get(&device.id) else {
                continue;
            };
            // A desk that was opened from its backup has forgotten the serials that it used since; phones have not. The
            // wall clock is above them, unless it has gone back: then the receipts are heard once it has caught up.
            let mut serial = device
                .control_serial
                .max(u64::try_from(reading.wall_s).unwrap_or(0));
            for part in own.chunks(MAX_RECEIPTS) {
                serial += 1;
                let control = Control {
                    aud: org.aud,
                    dev: device.id,
                    serial,
                    desk_epoch: org.desk_epoch,
                    body: ControlBody::Receipts(part.to_vec()),
                    desk_time_s: Some(reading.wall_s),
                    unknown: Default::default(),
                };
                bundle.write(&Item::Downlink {
                    mailbox: device.downlink,
                    bytes: control.sign(&self.keyring.signing),
                })?;
                made.receipts += part.len() as u64;
            }
            made.devices += 1;
            serials.push((device.id, serial));
        }
        for part in acks.chunks(MAX_ACKS) {
            bundle.write(&Item::Ack {
                mailbox: org.inbox,
                digests: part.to_vec(),
            })?;
            made.acks += part.len() as u64;
        }
        let out = bundle.finish()?;
        self.store.told(&told, &serials)?;
        Ok((made, out))
    }
}
