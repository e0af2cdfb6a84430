/** The client against a real registry. Needs REDDWARF_PEERS to name a folder with bin/docker-registry. */
import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Chunk, DateTime, Effect, Either, Layer, Redacted, Stream } from "effect"
import { createHash, createPrivateKey, sign, X509Certificate } from "node:crypto"
import { createServer } from "node:http"
import * as TestCertificates from "test-certificates"
import { BlobSource, BlobStore, ImageManifest, ImagePull, ImageReference, Keyring, Platform, type PullEvent, RegistryClient, type RegistryOptions } from "../src/index.js"
import { registryMissing, skippedUnless, startRegistry } from "./support/dockerRegistry.js"
import { illumos, imageSource, linux, noise, temporaryDirectory, testImage } from "./support/testImages.js"

const reference = (text: string) => Either.getOrThrow(ImageReference.parse(text))

const services = (options: RegistryOptions.Options = {}) =>
  Layer.unwrapScoped(Effect.map(temporaryDirectory, (directory) =>
    Layer.merge(RegistryClient.layer({ retryDelay: "1 millis", ...options }), Layer.provide(BlobStore.layer({ directory }), NodeFileSystem.layer))))

const hello = testImage({
  layers: [{ "etc/motd": "hello\n", "bin/data": noise(300_000) }, { "app/run": "#!/bin/sh\n" }],
  process: { entrypoint: ["/app/run"], env: ["A=b"], user: "1000:1000", workingDir: "/app" }
})

const pulled = (text: string, brand = "lx", keyring = Keyring.empty, events: Array<PullEvent.PullEvent> = []) =>
  Effect.gen(function*() {
    const client = yield* RegistryClient.RegistryClient
    return yield* ImagePull.pull(client.source(reference(text), keyring), {
      image: text,
      wanted: Platform.forBrand(brand),
      onEvent: (event) => Effect.sync(() => void events.push(event))
    })
  })

const push = (text: string, image = hello, keyring = Keyring.empty) =>
  Effect.flatMap(RegistryClient.RegistryClient, (client) =>
    client.push(reference(text), { documents: [image.document], blobs: imageSource([image]) }, keyring))

/** "correct horse", hashed. */
const htpasswd = "robot:$2y$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2\n"

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")

describe.skipIf(registryMissing)(`a real registry (${skippedUnless})`, () => {
  it.scopedLive("pushes, resolves and pulls an image with its config and layers", () =>
    Effect.gen(function*() {
      const { host } = yield* startRegistry()
      const name = `${host}/team/hello:1`
      yield* Effect.gen(function*() {
        const client = yield* RegistryClient.RegistryClient
        const store = yield* BlobStore.BlobStore
        yield* push(name)
        assert.deepStrictEqual(yield* client.resolve(reference(name)), ImageManifest.descriptorOf(hello.document))

        const events: Array<PullEvent.PullEvent> = []
        const image = yield* pulled(name, "lx", Keyring.empty, events)
        assert.strictEqual(image.digest, hello.document.digest)
        assert.deepStrictEqual(image.config, hello.config)
        assert.deepStrictEqual(image.layers.map(({ diffId }) => diffId), hello.config.rootfs.diffIds)
        for (const [digest, bytes] of hello.blobs) {
          const stored = yield* BlobSource.readAll(store.source, { mediaType: "", digest, size: bytes.length })
          assert.deepStrictEqual(Buffer.from(stored), Buffer.from(bytes))
        }
        const tags = events.map(({ _tag }) => _tag)
        assert.strictEqual(tags[0], "Pulling")
        assert.strictEqual(tags.at(-1), "Pulled")
        assert.strictEqual(tags.filter((tag) => tag === "BlobReady").length, 3)

        // By digest, with a tag that does not matter; and again, with nothing to fetch.
        const again: Array<PullEvent.PullEvent> = []
        const pinned = yield* pulled(`${host}/team/hello:other@${hello.document.digest}`, "lx", Keyring.empty, again)
        assert.strictEqual(pinned.id, image.id)
        assert.isFalse(again.some((event) => event._tag === "BlobReady" && event.transferred))
      }).pipe(Effect.provide(services()))
    }))

  it.scopedLive("chooses the image of an index that the brand runs, and says which there are when none fits", () =>
    Effect.gen(function*() {
      const { host } = yield* startRegistry()
      const native = testImage({ layers: [{ "etc/release": "illumos" }], platform: illumos, packing: "zstd" })
      const index = ImageManifest.fromIndex({
        manifests: [ImageManifest.descriptorOf(hello.document, linux), ImageManifest.descriptorOf(native.document, illumos)]
      })
      yield* Effect.gen(function*() {
        const client = yield* RegistryClient.RegistryClient
        const name = `${host}/both:latest`
        yield* client.push(reference(name), { documents: [hello.document, native.document, index], blobs: imageSource([hello, native]) })
        assert.strictEqual((yield* pulled(name, "lx")).id, hello.manifest.config.digest)
        const image = yield* pulled(name, "sparse")
        assert.strictEqual(image.id, native.manifest.config.digest)
        assert.strictEqual(image.digest, index.digest)

        yield* push(`${host}/linux-only:1`)
        const error = yield* Effect.flip(pulled(`${host}/linux-only:1`, "pkgsrc"))
        assert.strictEqual(error._tag, "UnsupportedPlatform")
        assert.include(error.message, "no image for platform illumos/amd64 or solaris/amd64 or sunos/amd64, which a zone of brand pkgsrc runs; it exists for linux/amd64")
      }).pipe(Effect.provide(services()))
    }))

  it.scopedLive("says what is not there", () =>
    Effect.gen(function*() {
      const { host } = yield* startRegistry()
      yield* Effect.gen(function*() {
        yield* push(`${host}/hello:1`)
        for (const name of [`${host}/hello:2`, `${host}/nobody:1`]) {
          const error = yield* Effect.flip(pulled(name))
          assert.strictEqual(error._tag, "NotFound", name)
          assert.include(error.message, `manifest not found in ${host}`)
        }
      }).pipe(Effect.provide(services()))
    }))

  it.scopedLive("logs in with a password: the right one of several, and says so when it is wrong or missing", () =>
    Effect.gen(function*() {
      const { host } = yield* startRegistry({ htpasswd })
      const secret = (key: string, password: string): Keyring.PullSecret => ({
        name: "pull",
        namespace: "default",
        type: "kubernetes.io/dockerconfigjson",
        data: {
          ".dockerconfigjson": Buffer.from(JSON.stringify({ auths: { [key]: { auth: Buffer.from(`robot:${password}`).toString("base64") } } })).toString("base64")
        }
      })
      const right = Either.getOrThrow(Keyring.fromSecrets([secret(`${host}/team`, "wrong"), secret(`https://${host}/v2/`, "correct horse")]))
      const wrong = Either.getOrThrow(Keyring.fromSecrets([secret(host, "wrong")]))
      yield* Effect.gen(function*() {
        const name = `${host}/team/hello:1`
        yield* push(name, hello, right)
        assert.strictEqual((yield* pulled(name, "lx", right)).id, hello.manifest.config.digest)
        const refused = yield* Effect.flip(pulled(name, "lx", wrong))
        assert.strictEqual(refused._tag, "Unauthorized")
        assert.include(refused.message, "the pull secret for this registry was refused")
        const nobody = yield* Effect.flip(pulled(name))
        assert.strictEqual(nobody._tag, "Unauthorized")
        assert.include(nobody.message, "no pull secret matches this image")
      }).pipe(Effect.provide(services()))
    }))

  it.scopedLive("logs in with tokens of a token server", () =>
    Effect.gen(function*() {
      const certificates = yield* TestCertificates.make("nobody")
      const asked: Array<string> = []
      const tokens = createServer((request, response) => {
        const url = new URL(request.url ?? "", "http://127.0.0.1")
        asked.push(`${request.headers.authorization === undefined ? "anonymous" : "robot"} ${url.searchParams.getAll("scope").join(" ")}`)
        const write = request.headers.authorization === `Basic ${Buffer.from("robot:correct horse").toString("base64")}`
        if (request.headers.authorization !== undefined && !write) {
          response.writeHead(401).end("{}")
          return
        }
        const [type, name, actions = ""] = (url.searchParams.get("scope") ?? "").split(":")
        const granted = actions.split(",").filter((action) => write || (action === "pull" && name?.startsWith("public/")))
        const now = Math.floor(DateTime.unsafeNow().epochMillis / 1000)
        const head = base64url({ typ: "JWT", alg: "ES256", x5c: [new X509Certificate(certificates.server.cert).raw.toString("base64")] })
        const claims = base64url({
          iss: "test issuer",
          sub: "robot",
          aud: "test service",
          exp: now + 300,
          nbf: now - 60,
          iat: now,
          jti: createHash("sha1").update(String(asked.length)).digest("hex"),
          access: granted.length === 0 ? [] : [{ type, name, actions: granted }]
        })
        const signature = sign("sha256", Buffer.from(`${head}.${claims}`), { key: createPrivateKey(certificates.server.key), dsaEncoding: "ieee-p1363" })
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ token: `${head}.${claims}.${signature.toString("base64url")}`, expires_in: 300 }))
      })
      const port = yield* Effect.acquireRelease(
        Effect.async<number>((resume) => {
          tokens.listen(0, "127.0.0.1", () => {
            const address = tokens.address()
            resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
          })
        }),
        () => Effect.sync(() => tokens.close())
      )
      const { host } = yield* startRegistry({
        token: { realm: `http://127.0.0.1:${port}/token`, service: "test service", issuer: "test issuer", rootCertificate: certificates.ca }
      })
      const robot = Keyring.basic(host, "robot", Redacted.make("correct horse"))
      yield* Effect.gen(function*() {
        yield* push(`${host}/public/hello:1`, hello, robot)
        yield* push(`${host}/private/hello:1`, hello, robot)
        asked.length = 0
        assert.strictEqual((yield* pulled(`${host}/public/hello:1`)).id, hello.manifest.config.digest)
        // One token for everything of a repository.
        assert.deepStrictEqual(asked, ["anonymous repository:public/hello:pull"])
        assert.strictEqual((yield* pulled(`${host}/private/hello:1`, "lx", robot)).id, hello.manifest.config.digest)
        const refused = yield* Effect.flip(pulled(`${host}/private/hello:1`))
        assert.strictEqual(refused._tag, "Unauthorized")
        const wrong = yield* Effect.flip(pulled(`${host}/private/hello:1`, "lx", Keyring.basic(host, "robot", Redacted.make("x"))))
        assert.strictEqual(wrong._tag, "Unauthorized")
      }).pipe(Effect.provide(services()))
    }))

  it.scopedLive("speaks TLS: with the authority it is told, not without", () =>
    Effect.gen(function*() {
      const certificates = yield* TestCertificates.make("nobody")
      const { host } = yield* startRegistry({ tls: certificates.server })
      const name = `${host}/hello:1`
      yield* Effect.provide(Effect.zipRight(push(name), pulled(name)), services({ hosts: { [host]: { ca: certificates.ca } } }))
      yield* Effect.provide(pulled(name), services({ hosts: { [host]: { skipTlsVerify: true } } }))
      const error = yield* Effect.provide(Effect.flip(pulled(name)), services({ hosts: { [host]: { scheme: "https" } } }))
      assert.strictEqual(error._tag, "Unreachable")
      assert.include(error.message, "its certificate is not accepted")
    }))

  it.scopedLive("asks mirrors first and the registry itself last", () =>
    Effect.gen(function*() {
      const mirror = yield* startRegistry()
      const upstream = yield* startRegistry()
      const options = { hosts: { "registry.example.com": { scheme: "http" as const, address: upstream.host, mirrors: ["127.0.0.1:1/dead", `${mirror.host}/copies`] } } }
      yield* Effect.gen(function*() {
        const other = testImage({ layers: [{ "only/upstream": "x" }] })
        yield* push(`${mirror.host}/copies/team/hello:1`)
        yield* push(`${upstream.host}/team/hello:1`, other)
        yield* push(`${upstream.host}/team/other:1`, other)
        assert.strictEqual((yield* pulled("registry.example.com/team/hello:1")).id, hello.manifest.config.digest)
        assert.strictEqual((yield* pulled("registry.example.com/team/other:1")).id, other.manifest.config.digest)
        const error = yield* Effect.flip(pulled("registry.example.com/team/none:1"))
        assert.strictEqual(error.message, "registry.example.com/team/none:1: manifest not found in registry.example.com; check the name and the tag, and that the image was pushed")
      }).pipe(Effect.provide(services(options)))
    }))

  it.scopedLive("reads a part of a blob", () =>
    Effect.gen(function*() {
      const { host } = yield* startRegistry()
      yield* Effect.gen(function*() {
        yield* push(`${host}/hello:1`)
        const client = yield* RegistryClient.RegistryClient
        const layer = hello.manifest.layers[0] ?? hello.manifest.config
        const bytes = hello.blobs.get(layer.digest) ?? new Uint8Array()
        const rest = Buffer.concat(Chunk.toArray(yield* Stream.runCollect(client.source(reference(`${host}/hello:1`)).open(layer, 1000))))
        assert.deepStrictEqual(rest, Buffer.from(bytes.subarray(1000)))
      }).pipe(Effect.provide(services()))
    }))
})
