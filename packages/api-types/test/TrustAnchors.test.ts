/** Trust anchors: what bundles of them may hold, how they are joined, and the kind that keeps them. */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import { Kind, Kinds, ObjectCodec, TrustAnchors } from "../src/index.js"
import { anchorA, anchorB, leaf } from "./anchors.js"
import { lines, now } from "./pods.js"

const body = (pem: string): string => pem.split("\n").slice(1, -2).join("\n")

describe("TrustAnchors", () => {
  it("are certificates of authorities, each of them once", () => {
    assert.deepStrictEqual(TrustAnchors.problems(`a comment\n${anchorA}between\n${anchorB}`), [])
    assert.deepStrictEqual(TrustAnchors.problems(anchorA.replaceAll("\n", "\r\n")), [])
    assert.deepStrictEqual(TrustAnchors.problems("nothing"), ["at least one trust anchor must be provided"])
    assert.deepStrictEqual(TrustAnchors.problems(""), ["at least one trust anchor must be provided"])
    assert.deepStrictEqual(TrustAnchors.problems(`${anchorA}${anchorB}${anchorA}`), ["duplicate trust anchor (indices [0 2])"])
    assert.deepStrictEqual(TrustAnchors.problems(`${anchorA}${leaf}`), ["entry 1 does not have the CA bit set"])
    const key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
    const headed = `-----BEGIN CERTIFICATE-----\nProc-Type: 4\n\n${body(anchorA)}\n-----END CERTIFICATE-----\n`
    const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    assert.deepStrictEqual(TrustAnchors.problems(`${key}${headed}${broken}`), [
      "entry 0 has bad block type: PRIVATE KEY",
      "entry 1 has PEM block headers",
      "entry 2 does not parse as X.509"
    ])
  })

  it("are joined in an order of their own, each of them once", () => {
    const joined = TrustAnchors.join([`x\n${anchorB}y`, anchorA, `${anchorA}${anchorB}`])
    assert.strictEqual(joined, TrustAnchors.join([anchorA, anchorB]))
    assert.strictEqual(TrustAnchors.blocks(joined).length, 2)
    assert.strictEqual(joined, [anchorA, anchorB].toSorted((a, b) => (body(a) < body(b) ? -1 : 1)).join(""))
    assert.strictEqual(TrustAnchors.join([]), "")
  })
})

describe("ClusterTrustBundle", () => {
  const kind = Kinds.clusterTrustBundle
  const made = (name: string, spec: object) => Either.getOrThrow(ObjectCodec.decode(kind, { metadata: { name, resourceVersion: "1" }, spec })).object
  const problems = (name: string, spec: object) => lines(kind.validate(made(name, spec)))

  it("has anchors, and the name of its signer before its own", () => {
    assert.deepStrictEqual(problems("roots", { trustBundle: anchorA }), [])
    assert.deepStrictEqual(problems("example.com:ca:v1", { signerName: "example.com/ca", trustBundle: anchorA }), [])
    assert.deepStrictEqual(problems("example.com:ca:v1", { trustBundle: anchorA }), [
      "metadata.name: Invalid value: \"example.com:ca:v1\": ClusterTrustBundle without signer name must not have \":\" in its name"
    ])
    assert.deepStrictEqual(problems("v1", { signerName: "example.com/ca", trustBundle: anchorA }), [
      "metadata.name: Invalid value: \"v1\": ClusterTrustBundle for signerName example.com/ca must be named with prefix example.com:ca:"
    ])
    assert.deepStrictEqual(problems("ca:x", { signerName: "ca", trustBundle: anchorA }), [
      "spec.signerName: Invalid value: \"ca\": must be a fully qualified domain and path of the form 'example.com/signer-name'"
    ])
    assert.deepStrictEqual(problems("com:ca:x", { signerName: "com/ca", trustBundle: anchorA }), [
      "spec.signerName: Invalid value: \"com\": should be a domain with at least two segments separated by dots"
    ])
    assert.match(problems("ex.com:ca:Upper", { signerName: "ex.com/ca", trustBundle: anchorA })[0] ?? "", /^metadata\.name: Invalid value: "ex\.com:ca:Upper": a lowercase RFC 1123/)
    assert.deepStrictEqual(problems("roots", { trustBundle: leaf }), ["spec.trustBundle: Invalid value: \"<value omitted>\": entry 0 does not have the CA bit set"])
    assert.deepStrictEqual(problems("roots", { trustBundle: `${anchorA}${" ".repeat(TrustAnchors.maximumBytes)}` }), [
      "spec.trustBundle: Too long: may not be more than 1048576 bytes"
    ])
  })

  it("keeps its signer, and anchors that stay are not read again", () => {
    const changes = (next: object, old: object, name = "roots") => lines(kind.validateUpdate(made(name, next), made(name, old)))
    assert.deepStrictEqual(changes({ trustBundle: anchorB }, { trustBundle: anchorA }), [])
    assert.deepStrictEqual(changes({ trustBundle: leaf }, { trustBundle: leaf }), [])
    assert.deepStrictEqual(changes({ trustBundle: "x" }, { trustBundle: leaf }), [
      "spec.trustBundle: Invalid value: \"<value omitted>\": at least one trust anchor must be provided"
    ])
    assert.deepStrictEqual(changes({ signerName: "ex.com/b", trustBundle: anchorA }, { signerName: "ex.com/a", trustBundle: anchorA }, "ex.com:b:x"), [
      "spec.signerName: Invalid value: \"ex.com/b\": field is immutable"
    ])
  })

  it("is listed and found by its signer", () => {
    const bundle = made("ex.com:a:x", { signerName: "ex.com/a", trustBundle: anchorA })
    assert.deepStrictEqual(kind.cells(bundle, now), ["ex.com:a:x", "ex.com/a"])
    assert.deepStrictEqual(kind.cells(made("roots", { trustBundle: anchorA }), now), ["roots", "<none>"])
    assert.strictEqual(Kind.fieldValue(kind, bundle, "spec.signerName"), "ex.com/a")
  })
})
