import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck as fc } from "effect"
import { Digest, ImageConfig, ImageManifest, MediaType, Platform } from "../src/index.js"
import * as Challenge from "../src/internal/challenge.js"

const digest = Digest.of("x")
const bytes = (value: unknown) => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value))
const blob = { mediaType: MediaType.ociLayerGzip, digest, size: 1 }
const decode = (value: unknown, announced?: string) => ImageManifest.decode(bytes(value), { source: "test", announced })

describe("ImageManifest", () => {
  it.effect("knows a document by its own type, by the announced one, or by its content", () =>
    Effect.gen(function*() {
      const manifest = { schemaVersion: 2, config: blob, layers: [blob] }
      assert.strictEqual((yield* decode(manifest)).mediaType, MediaType.ociManifest)
      assert.strictEqual((yield* decode({ ...manifest, mediaType: MediaType.dockerManifest })).mediaType, MediaType.dockerManifest)
      assert.strictEqual((yield* decode(manifest, `${MediaType.dockerManifest}; charset=utf-8`)).mediaType, MediaType.dockerManifest)
      assert.strictEqual((yield* decode(manifest, "application/octet-stream")).mediaType, MediaType.ociManifest)
      assert.strictEqual((yield* decode({ schemaVersion: 2, manifests: [] })).kind, "index")
    }))

  it.effect("refuses what could be read in two ways, is too old, or is nothing at all", () =>
    Effect.gen(function*() {
      const cases: ReadonlyArray<readonly [unknown, string, string?]> = [
        [{ schemaVersion: 2, config: blob, layers: [], manifests: [] }, "both an image and a list"],
        [{ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [] }, "announced as", MediaType.ociManifest],
        [{ schemaVersion: 1, fsLayers: [] }, "obsolete schema version 1"],
        [{ schemaVersion: 2, mediaType: "text/plain", config: blob, layers: [] }, "not that of an image"],
        [{ schemaVersion: 2, config: { ...blob, digest: "sha256:../../etc" }, layers: [] }, "sha256:<64 hex digits>"],
        [{ schemaVersion: 2, config: { ...blob, size: -1 }, layers: [] }, "size"],
        [{ schemaVersion: 2, config: blob, layers: Array.from({ length: 1001 }, () => blob) }, "more than 1000 layers"],
        ["[]", "not a JSON object"],
        ["{", "not a JSON object"]
      ]
      for (const [value, reason, announced] of cases) {
        const error = yield* Effect.flip(decode(value, announced))
        assert.strictEqual(error._tag, "InvalidManifest")
        assert.include(error.message, reason)
      }
    }))

  it.effect("reads a config as tools write it: with nulls, without what is not said, with what is not known", () =>
    Effect.gen(function*() {
      const config = yield* ImageConfig.decode(bytes({
        architecture: "amd64",
        os: "linux",
        "os.version": "1",
        config: { Entrypoint: null, Cmd: ["sh"], Env: ["A=b"], ExposedPorts: { "80/tcp": {} }, Labels: null, User: "", Healthcheck: {} },
        rootfs: { type: "layers", diff_ids: [digest] },
        history: [{ created_by: "RUN x", empty_layer: true }],
        moby: { x: 1 }
      }), "test")
      assert.deepStrictEqual(config.process.entrypoint, [])
      assert.deepStrictEqual(config.process.cmd, ["sh"])
      assert.deepStrictEqual(Object.keys(config.process.exposedPorts), ["80/tcp"])
      assert.strictEqual(config.osVersion, "1")
      assert.deepStrictEqual(config.rootfs.diffIds, [digest])
      assert.isTrue(config.history[0]?.emptyLayer)
      const bare = yield* ImageConfig.decode(bytes({ rootfs: {} }), "test")
      assert.deepStrictEqual(bare, ImageConfig.make({ os: "", architecture: "" }, []))
    }))

  it.effect.prop("a config is the same when it is read again", {
    env: fc.array(fc.string()),
    user: fc.string(),
    labels: fc.dictionary(fc.string().filter((key) => key !== "__proto__"), fc.string())
  }, ({ env, labels, user }) =>
    Effect.gen(function*() {
      const config = ImageConfig.make(Platform.normalise({ os: "illumos", architecture: "amd64" }), [digest], { env, user, labels: { ...labels } })
      const again = yield* ImageConfig.decode(ImageConfig.encode(config), "test")
      assert.deepEqual(again, config)
      assert.deepStrictEqual(Buffer.from(ImageConfig.encode(again)), Buffer.from(ImageConfig.encode(config)))
    }))

  it.each([
    [MediaType.ociLayer, "none"],
    [MediaType.ociLayerGzip, "gzip"],
    [MediaType.ociLayerZstd, "zstd"],
    [MediaType.dockerLayerGzip, "gzip"],
    ["application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "gzip"],
    ["application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", "zstd"],
    ["application/vnd.oci.image.layer.v1.tar+gzip+encrypted", undefined],
    ["application/vnd.in-toto+json", undefined]
  ])("layer type %s: %s", (mediaType, compression) => {
    assert.strictEqual(MediaType.layerCompression(mediaType), compression)
  })
})

describe("challenges", () => {
  it.each([
    [["Basic realm=\"a \\\"b\\\"\""], [{ scheme: "basic", parameters: { realm: "a \"b\"" } }]],
    [["Bearer realm=\"https://t/x\",service=\"a, b\",scope=\"repository:x:pull,push\""], [{ scheme: "bearer", parameters: { realm: "https://t/x", service: "a, b", scope: "repository:x:pull,push" } }]],
    [["Negotiate, Basic realm=x, Bearer realm=\"y\""], [
      { scheme: "negotiate", parameters: {} },
      { scheme: "basic", parameters: { realm: "x" } },
      { scheme: "bearer", parameters: { realm: "y" } }
    ]],
    [["Negotiate", "BASIC Realm=x"], [{ scheme: "negotiate", parameters: {} }, { scheme: "basic", parameters: { realm: "x" } }]],
    [[""], []]
  ])("reads %j", (lines, expected) => {
    assert.deepStrictEqual(Challenge.parse(lines), expected)
  })

  it.prop("ends whatever it is given", { line: fc.string({ maxLength: 300 }) }, ({ line }) => {
    assert.isArray(Challenge.parse([line]))
  })
})
