//! A practice organisation in memory: enough of a desk to enrol a device and to open what it seals. For tests of the
//! device alone; scenarios use the real desk.

use landfall_model::Entry;
use landfall_seal::enrol as seal_enrol;
use landfall_seal::{Ed25519Verifier, EpochIdentity, SigningKey, charter, manifest, open_envelope, random};
use landfall_wire::cbor::Unknown;
use landfall_wire::charter::Charter;
use landfall_wire::control::{Control, ControlBody};
use landfall_wire::enrol::{Invitation, InvitationFile, InvitationSecret, Reply, Role, reply_from_text};
use landfall_wire::ids::{DeskEpoch, DeviceId, MailboxId, OrgId, PublicKey};
use landfall_wire::manifest::{Endpoint, EndpointKind, EpochKey, Manifest};
use landfall_wire::sign::Signer;

/// The keys of a practice organisation.
#[derive(Debug)]
pub struct PracticeOrg {
    /// The key that signs manifests and control messages.
    pub desk: SigningKey,
    /// The first epoch's key.
    pub epoch: EpochIdentity,
    charter: Charter,
    charter_frame: Vec<u8>,
    manifest: Manifest,
    manifest_frame: Vec<u8>,
}

impl PracticeOrg {
    /// Makes one whose hub is at `url`.
    ///
    /// # Errors
    /// What seal says of the fresh keys.
    pub fn make(url: &str) -> landfall_seal::Result<PracticeOrg> {
        let roots = [SigningKey::make(), SigningKey::make(), SigningKey::make()];
        let desk = SigningKey::make();
        let epoch = EpochIdentity::make();
        let charter_plain = Charter {
            org: OrgId::from_bytes(random::make()),
            org_name: "Practice".to_owned(),
            root_keys: roots.each_ref().map(Signer::public_key),
            threshold: 2,
            desk_keys: vec![desk.public_key()],
            serial: 1,
            expires_day: 30_000,
            first: None,
            unknown: Unknown::default(),
        };
        let manifest_plain = Manifest {
            serial: 1,
            aud: charter_plain.aud(),
            epochs: vec![EpochKey {
                number: 1,
                from_day: 20_000,
                until_day: 20_030,
                recipient: *epoch.recipient()?.as_bytes(),
                unknown: Unknown::default(),
            }],
            endpoints: vec![Endpoint {
                kind: EndpointKind::Direct,
                url: url.to_owned(),
            }],
            tls_roots: Vec::new(),
            packs: Vec::new(),
            min_version: "0.1.0".to_owned(),
            expires_day: 30_000,
            inbox: MailboxId::from_bytes(random::make()),
            desk_epoch: DeskEpoch::from_bytes(random::make()),
            unknown: Unknown::default(),
        };
        let [first, second, _] = &roots;
        Ok(PracticeOrg {
            charter_frame: charter::sign(&charter_plain, &[first, second]),
            manifest_frame: manifest::sign(&manifest_plain, &desk),
            charter: charter_plain,
            manifest: manifest_plain,
            desk,
            epoch,
        })
    }

    /// Returns the text of a new invitation file for a monitor at `point`.
    #[must_use]
    pub fn invitation(&self, point: &str) -> String {
        let invitation = Invitation {
            hub: self
                .manifest
                .endpoints
                .iter()
                .map(|endpoint| endpoint.url.clone())
                .collect(),
            charter: self.charter.digest(),
            manifest: self.manifest.digest(),
            serial: self.manifest.serial,
            secret: InvitationSecret::from_bytes(random::make()),
            language: "en".to_owned(),
            role: Role::Monitor,
            point: point.to_owned(),
            reply_to: MailboxId::from_bytes(random::make()),
        };
        InvitationFile {
            invitation,
            charter: self.charter_frame.clone(),
            manifest: self.manifest_frame.clone(),
        }
        .to_text()
    }

    /// Opens a device's reply.
    ///
    /// # Errors
    /// What seal says: not for this organisation, or not signed by its own key.
    pub fn read_reply(&self, text: &str) -> landfall_seal::Result<Reply> {
        seal_enrol::open_reply(&reply_from_text(text)?, &[&self.epoch])
    }

    /// Returns the mailbox of the desk.
    #[must_use]
    pub fn inbox(&self) -> MailboxId {
        self.manifest.inbox
    }

    /// Signs a control message for a device.
    #[must_use]
    pub fn control(&self, device: DeviceId, serial: u64, body: ControlBody) -> Vec<u8> {
        Control {
            aud: self.charter.aud(),
            dev: device,
            serial,
            desk_epoch: self.manifest.desk_epoch,
            body,
            desk_time_s: None,
            unknown: Unknown::default(),
        }
        .sign(&self.desk)
    }

    /// Opens a sealed record and checks every entry in it against the device's key; `None` if anything does not hold.
    #[must_use]
    pub fn open(&self, sealed: &[u8], device: &PublicKey) -> Option<Vec<Entry>> {
        open_envelope(sealed, &[&self.epoch])
            .ok()?
            .iter()
            .map(|bytes| Entry::read(bytes, device, &Ed25519Verifier).ok())
            .collect()
    }
}
