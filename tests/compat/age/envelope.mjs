// Opens an envelope that the core sealed, and seals one that the core must open, with npm's age-encryption:
// an implementation of age with which ours shares no line. Usage: node envelope.mjs DIR (made by
// `landfall-vectors sample DIR`).
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { strict as assert } from "node:assert";
import { Decrypter, Encrypter, generateHybridIdentity, identityToRecipient } from "age-encryption";
import { decode, encode } from "cborg";

const dir = process.argv[2];
const read = (name) => new Uint8Array(readFileSync(join(dir, name)));
const text = (name) => readFileSync(join(dir, name), "utf8").trim();
const identity = text("identity.txt");
const entries = [read("entry-0.cose"), read("entry-1.cose")];

async function open(sealed, key) {
  const decrypter = new Decrypter();
  decrypter.addIdentity(key);
  return decode(await decrypter.decrypt(sealed), { useMaps: true, rejectDuplicateMapKeys: true, strict: true });
}

// The core's envelope, the desk's key.
const sealed = read("envelope.age");
assert.ok([4096, 8192, 16384, 32768].includes(sealed.length), `size ${sealed.length}`);
const plain = await open(sealed, identity);
assert.equal(plain.get(0), 1);
assert.deepEqual(plain.get(2).map(Buffer.from), entries.map(Buffer.from));
assert.ok(plain.get(3).every((byte) => byte === 0), "pad");
console.log(`npm opened an envelope of ${sealed.length} bytes with ${plain.get(2).length} entries`);

// A file of two chunks with two recipients.
const content = await open(read("content.age"), identity);
assert.equal(content.get(1).length, 100000);
assert.ok(content.get(1).every((byte) => byte === 0x5a));

// Both sides read the same public key out of the identity.
assert.equal(await identityToRecipient(identity), text("recipient.txt"));

// Refusals: another key, a changed byte.
await assert.rejects(open(sealed, await generateHybridIdentity()));
const changed = sealed.slice();
changed[changed.length - 1] ^= 1;
await assert.rejects(open(changed, identity));

// The other way round.
const encrypter = new Encrypter();
encrypter.addRecipient(text("recipient.txt"));
const back = await encrypter.encrypt(encode(new Map([[0, 1], [2, entries], [3, new Uint8Array(500)]])));
writeFileSync(join(dir, "from-npm.age"), back);
console.log(`npm sealed an envelope of ${back.length} bytes`);
