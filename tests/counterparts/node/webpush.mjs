// Reads web pushes as a browser and its push service would: decryption by http_ece (RFC 8291), the signature by Node's own
// cryptography (RFC 8292).
//
// One JSON line in: {"body", "privateKey", "publicKey", "auth", "authorization"}: base64url, and the header as it was sent.
// One JSON line out: {"payload", "header", "claims", "key", "signed"}: the text; the token's two parts; the application
// server's key; whether that key has signed the token. Or {"error"}.

import { createECDH, createPublicKey, verify } from "node:crypto";

import { load } from "./packages.mjs";
import { answerEach } from "./lines.mjs";

const ece = load("http_ece");

await answerEach((message) => {
  try {
    return { payload: decrypted(message), ...token(message.authorization) };
  } catch (error) {
    return { error: String(error) };
  }
});

function decrypted({ body, privateKey, publicKey, auth }) {
  const keys = createECDH("prime256v1");
  keys.setPrivateKey(privateKey, "base64url");
  if (keys.getPublicKey("base64url") !== publicKey) {
    throw new Error("the keys are no pair");
  }
  const params = { version: "aes128gcm", privateKey: keys, authSecret: auth };
  return ece.decrypt(Buffer.from(body, "base64url"), params).toString("utf8");
}

function token(authorization) {
  const [, jwt, key] = /^vapid t=([\w.-]+), k=([\w-]+)$/.exec(authorization);
  const [header, claims, signature] = jwt.split(".");
  const read = (part) => JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
  const signed = verify(
    "sha256",
    Buffer.from(`${header}.${claims}`),
    { key: publicKey(key), dsaEncoding: "ieee-p1363" },
    Buffer.from(signature, "base64url"),
  );
  return { header: read(header), claims: read(claims), key, signed };
}

function publicKey(point) {
  const bytes = Buffer.from(point, "base64url");
  const coordinate = (from) => bytes.subarray(from, from + 32).toString("base64url");
  return createPublicKey({ key: { kty: "EC", crv: "P-256", x: coordinate(1), y: coordinate(33) }, format: "jwk" });
}
