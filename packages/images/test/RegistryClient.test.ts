/** The client against registries that misbehave. */
import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Fiber, Layer, Redacted, Stream } from "effect"
import { until } from "vitest-config/waiting"
import { BlobSource, BlobStore, Digest, ImagePull, ImageReference, Keyring, Platform, RegistryClient, type RegistryOptions } from "../src/index.js"
import { cutAfter, type Fault, rangeOf, startFaultyRegistry } from "./support/faultyRegistry.js"
import { noise, temporaryDirectory, testImage } from "./support/testImages.js"

const reference = (text: string) => Either.getOrThrow(ImageReference.parse(text))
const image = testImage({ layers: [{ "bin/data": noise(200_000) }], packing: "none" })
const layerBlob = image.manifest.layers[0] ?? image.manifest.config
const layerBytes = image.blobs.get(layerBlob.digest) ?? new Uint8Array()

const services = (options: RegistryOptions.Options = {}) =>
  Layer.unwrapScoped(Effect.map(temporaryDirectory, (directory) =>
    Layer.merge(RegistryClient.layer({ retryDelay: "1 millis", ...options }), Layer.provide(BlobStore.layer({ directory }), NodeFileSystem.layer))))

const pull = (name: string, keyring = Keyring.empty) =>
  Effect.flatMap(RegistryClient.RegistryClient, (client) =>
    Effect.scoped(ImagePull.pull(client.source(reference(name), keyring), { image: name, wanted: Platform.forBrand("lx") })))

const serve = startFaultyRegistry([image], { "1": image })

/** Counts how often a fault has answered. */
const times = (count: number, fault: Fault): Fault => {
  let left = count
  return (request, response, raw) => left > 0 && fault(request, response, raw) && (left -= 1, true)
}

const isLayer = (path: string): boolean => path.endsWith(`/blobs/${layerBlob.digest}`)
const isManifest = (path: string): boolean => path.includes("/manifests/")

describe("RegistryClient", () => {
  it.scopedLive("continues a blob where its connection was cut, also with one connection allowed", () =>
    Effect.gen(function*() {
      const registry = yield* serve
      registry.faults.push(times(12, (request, response) => {
        if (!isLayer(request.path)) return false
        const from = rangeOf(request)
        const headers = {
          "content-length": String(layerBytes.length - from),
          ...(from > 0 ? { "content-range": `bytes ${from}-${layerBytes.length - 1}/${layerBytes.length}` } : {})
        }
        cutAfter(response, from > 0 ? 206 : 200, headers, layerBytes.subarray(from, from + 10_000))
        return true
      }))
      const options = { hosts: { [registry.host]: { concurrency: 1 } } }
      assert.strictEqual((yield* Effect.provide(pull(`${registry.host}/hello:1`), services(options))).digest, image.document.digest)
      const starts = registry.seen.filter(({ path }) => isLayer(path)).map(rangeOf)
      // What had arrived was not asked for again. Twelve cuts are more than the attempts of one request: each brought something.
      assert.strictEqual(starts.length, 13)
      assert.deepStrictEqual(starts, [...starts].sort((a, b) => a - b))
      assert.isAbove(starts.at(-1) ?? 0, 0)
    }))

  it.scopedLive("goes on although a registry cannot send parts", () =>
    Effect.gen(function*() {
      const registry = yield* serve
      registry.faults.push(times(1, (request, response) => {
        if (!isLayer(request.path)) return false
        cutAfter(response, 200, { "content-length": String(layerBytes.length) }, layerBytes.subarray(0, 50_000))
        return true
      }))
      registry.faults.push((request, response) => {
        if (!isLayer(request.path) || rangeOf(request) === 0) return false
        response.writeHead(200, { "content-length": String(layerBytes.length) }).end(layerBytes)
        return true
      })
      assert.strictEqual((yield* Effect.provide(pull(`${registry.host}/hello:1`), services())).digest, image.document.digest)
    }))

  it.scopedLive("gives up on a blob whose connection is always cut at once", () =>
    Effect.gen(function*() {
      const registry = yield* serve
      registry.faults.push((request, response) => {
        if (!isLayer(request.path)) return false
        response.socket?.resetAndDestroy()
        return true
      })
      const error = yield* Effect.flip(Effect.provide(pull(`${registry.host}/hello:1`), services({ attempts: 3 })))
      assert.strictEqual(error._tag, "Unreachable")
      assert.strictEqual(registry.seen.filter(({ path }) => isLayer(path)).length, 3)
    }))

  it.scopedLive("refuses a blob that is not what its digest says, keeps nothing of it, and takes it when it is right", () =>
    Effect.gen(function*() {
      const registry = yield* serve
      const changed = Uint8Array.from(layerBytes)
      changed[100_000] = (changed[100_000] ?? 0) ^ 1
      registry.faults.push(times(1, (request, response) => {
        if (!isLayer(request.path)) return false
        response.writeHead(200, { "content-length": String(changed.length) }).end(changed)
        return true
      }))
      yield* Effect.gen(function*() {
        const error = yield* Effect.flip(pull(`${registry.host}/hello:1`))
        assert.strictEqual(error._tag, "DigestMismatch")
        const store = yield* BlobStore.BlobStore
        assert.strictEqual((yield* store.usage).partial, 0)
        assert.isUndefined(yield* store.size(layerBlob.digest))
        yield* pull(`${registry.host}/hello:1`)
      }).pipe(Effect.provide(services()))
    }))

  it.scopedLive("refuses a blob that is longer or shorter than its manifest promises", () =>
    Effect.gen(function*() {
      const registry = yield* serve
      const answers = [Buffer.concat([layerBytes, Buffer.from("x")]), layerBytes.subarray(0, 1000)]
      registry.faults.push((request, response) => {
        if (!isLayer(request.path)) return false
        const answer = answers[0] ?? new Uint8Array()
        const from = rangeOf(request)
        if (from >= answer.length) response.writeHead(416).end()
        else response.writeHead(from > 0 ? 206 : 200, from > 0 ? { "content-range": `bytes ${from}-*/*` } : {}).end(answer.subarray(from))
        return true
      })
      const long = yield* Effect.flip(Effect.provide(pull(`${registry.host}/hello:1`), services()))
      assert.strictEqual(long._tag, "SizeMismatch")
      answers.shift()
      const short = yield* Effect.flip(Effect.provide(pull(`${registry.host}/hello:1`), services()))
      assert.strictEqual(short._tag, "SizeMismatch")
      assert.include(short.message, "1000")
    }))

  it.scopedLive("refuses a manifest that is not what it was asked by, or what the registry says it is", () =>
    Effect.gen(function*() {
      const registry = yield* serve
      const other = testImage({ layers: [{ a: "b" }] })
      registry.faults.push((request, response) => {
        if (!isManifest(request.path)) return false
        response.writeHead(200, { "content-type": other.document.mediaType, "docker-content-digest": image.document.digest }).end(other.document.bytes)
        return true
      })
      for (const name of [`${registry.host}/hello:1`, `${registry.host}/hello@${image.document.digest}`]) {
        assert.strictEqual((yield* Effect.flip(Effect.provide(pull(name), services())))._tag, "DigestMismatch", name)
      }
    }))

  it.scopedLive("refuses a manifest without end", () =>
    Effect.gen(function*() {
      const registry = yield* serve
      registry.faults.push((request, response) => {
        if (!isManifest(request.path)) return false
        response.writeHead(200, { "content-type": image.document.mediaType })
        const more = () => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536, 0x20)));
        }
        response.on("drain", more)
        more()
        return true
      })
      const error = yield* Effect.flip(Effect.provide(pull(`${registry.host}/hello:1`), services({ maxManifestBytes: 100_000 })))
      assert.strictEqual(error._tag, "SizeMismatch")
    }))

  it.scopedLive("waits as long as a registry asks that has too many requests", () =>
    Effect.gen(function*() {
      const registry = yield* serve
      registry.faults.push(times(2, (_, response) => {
        response.writeHead(429, { "retry-after": "1" }).end()
        return true
      }))
      const begun = performance.now()
      yield* Effect.provide(pull(`${registry.host}/hello:1`), services())
      assert.isAtLeast(performance.now() - begun, 1990)
    }))

  it.scopedLive("does not wait longer than it may, and says when the registry is ready", () =>
    Effect.gen(function*() {
      const registry = yield* serve
      registry.faults.push((_, response) => {
        response.writeHead(429, { "retry-after": "3600" }).end(JSON.stringify({ errors: [{ code: "TOOMANYREQUESTS", message: "slow down" }] }))
        return true
      })
      const error = yield* Effect.flip(Effect.provide(pull(`${registry.host}/hello:1`), services()))
      assert.strictEqual(error._tag, "TooManyRequests")
      assert.include(error.message, "ready in 3600 s")
      assert.strictEqual(registry.seen.length, 1)
    }))

  it.scopedLive("asks again after 503, and reports it when it stays", () =>
    Effect.gen(function*() {
      const registry = yield* serve
      registry.faults.push(times(4, (_, response) => {
        response.writeHead(503).end("upstream is restarting")
        return true
      }))
      yield* Effect.provide(pull(`${registry.host}/hello:1`), services())
      registry.faults.push((_, response) => {
        response.writeHead(503).end("upstream is restarting")
        return true
      })
      const error = yield* Effect.flip(Effect.provide(pull(`${registry.host}/hello:1`), services()))
      assert.strictEqual(error._tag, "RegistryFailed")
      assert.include(error.message, "answered 503: upstream is restarting")
    }))

  it.scopedLive("does not ask for ever when nothing it is asked for helps", () =>
    Effect.gen(function*() {
      const registry = yield* serve
      registry.faults.push((request, response) => {
        if (request.path.startsWith("/token")) response.writeHead(200).end(JSON.stringify({ token: "t" }))
        else response.writeHead(401, { "www-authenticate": `Bearer realm="http://${registry.host}/token",service="s"` }).end()
        return true
      })
      const keyring = Keyring.basic(registry.host, "robot", Redacted.make("secret"))
      const error = yield* Effect.flip(Effect.provide(pull(`${registry.host}/hello:1`, keyring), services()))
      assert.strictEqual(error._tag, "Unauthorized")
      assert.deepStrictEqual(registry.seen.map(({ path }) => path.split("?")[0]), ["/v2/hello/manifests/1", "/token", "/v2/hello/manifests/1"])
    }))

  it.scopedLive("gets a new token when the old one is refused", () =>
    Effect.gen(function*() {
      const registry = yield* serve
      let issued = 0
      registry.faults.push((request, response) => {
        if (request.path.startsWith("/token")) {
          issued += 1
          response.writeHead(200).end(JSON.stringify({ access_token: `t${issued}`, expires_in: 3600 }))
          return true
        }
        // The first token is good for one request only, whatever its server says.
        if (request.headers.authorization === "Bearer t2" || (request.headers.authorization === "Bearer t1" && isManifest(request.path))) return false
        response.writeHead(401, { "www-authenticate": `Bearer realm="http://${registry.host}/token",service="a, b",scope="repository:hello:pull"` }).end()
        return true
      })
      yield* Effect.provide(pull(`${registry.host}/hello:1`), services())
      assert.strictEqual(issued, 2)
      const asked = new URL(registry.seen.find(({ path }) => path.startsWith("/token"))?.path ?? "", "http://x")
      assert.strictEqual(asked.searchParams.get("service"), "a, b")
      assert.deepStrictEqual(asked.searchParams.getAll("scope"), ["repository:hello:pull"])
    }))

  it.scopedLive("follows redirections, and does not tell other hosts who it is", () =>
    Effect.gen(function*() {
      const registry = yield* serve
      const storage = yield* serve
      registry.faults.push((request, response) => {
        if (request.headers.authorization === undefined) response.writeHead(401, { "www-authenticate": "Basic realm=\"x\"" }).end()
        else if (isLayer(request.path)) response.writeHead(307, { location: `http://${storage.host}${request.path}?signature=s` }).end()
        else return false
        return true
      })
      const keyring = Keyring.basic(registry.host, "robot", Redacted.make("secret"))
      yield* Effect.provide(pull(`${registry.host}/hello:1`, keyring), services())
      assert.strictEqual(storage.seen.length, 1)
      assert.isUndefined(storage.seen[0]?.headers.authorization)
      assert.isTrue(registry.seen.some(({ headers }) => headers.authorization !== undefined))
    }))

  it.scopedLive("does not tell a mirror the credentials of the registry, and tells it which registry is meant", () =>
    Effect.gen(function*() {
      const registry = yield* serve
      const mirror = yield* serve
      const ask = (wanted: string): Fault => (request, response) => {
        if (request.headers.authorization === wanted) return false
        response.writeHead(401, { "www-authenticate": "Basic realm=\"x\"" }).end()
        return true
      }
      const header = (user: string) => `Basic ${Buffer.from(`${user}:secret`).toString("base64")}`
      registry.faults.push(ask(header("robot")))
      mirror.faults.push(ask(header("reader")))
      const own = Keyring.basic("registry.example.com", "robot", Redacted.make("secret"))
      const both = { entries: [...own.entries, ...Keyring.basic(mirror.host, "reader", Redacted.make("secret")).entries] }
      const options = { hosts: { "registry.example.com": { scheme: "http" as const, address: registry.host, mirrors: [mirror.host] } } }
      yield* Effect.provide(pull("registry.example.com/hello:1", own), services(options))
      assert.isTrue(mirror.seen.length > 0 && mirror.seen.every(({ headers }) => headers.authorization === undefined))
      assert.include(mirror.seen[0]?.path ?? "", "ns=registry.example.com")
      registry.seen.length = 0
      yield* Effect.provide(pull("registry.example.com/hello:1", both), services(options))
      assert.strictEqual(registry.seen.length, 0)
    }))

  it.scopedLive("does not follow redirections in a circle, nor to what is not the web", () =>
    Effect.gen(function*() {
      const registry = yield* serve
      const locations = ["/v2/hello/manifests/1", "file:///etc/passwd"]
      registry.faults.push((_, response) => {
        response.writeHead(302, { location: locations[0] ?? "" }).end()
        return true
      })
      const circle = yield* Effect.flip(Effect.provide(pull(`${registry.host}/hello:1`), services()))
      assert.include(circle.message, "sends on more than 5 times")
      locations.shift()
      const file = yield* Effect.flip(Effect.provide(pull(`${registry.host}/hello:1`), services()))
      assert.include(file.message, "not a web address")
    }))

  it.scopedLive("does not send credentials to a token server without encryption", () =>
    Effect.gen(function*() {
      const registry = yield* serve
      registry.faults.push((_, response) => {
        response.writeHead(401, { "www-authenticate": "Bearer realm=\"http://tokens.example.com/token\",service=\"s\"" }).end()
        return true
      })
      const error = yield* Effect.flip(Effect.provide(pull(`${registry.host}/hello:1`, Keyring.basic(registry.host, "a", Redacted.make("b"))), services()))
      assert.strictEqual(error._tag, "Unauthorized")
      assert.include(error.message, "token server tokens.example.com is not encrypted")
    }))

  it.scopedLive("gives up on a registry that says nothing, and on one that stops in the middle", () =>
    Effect.gen(function*() {
      const registry = yield* serve
      registry.faults.push((request) => isManifest(request.path))
      const silent = yield* Effect.flip(Effect.provide(pull(`${registry.host}/hello:1`), services({ timeout: "50 millis", attempts: 2 })))
      assert.strictEqual(silent._tag, "Unreachable")
      assert.include(silent.message, "no answer within 50ms")
      registry.faults.length = 0
      registry.faults.push((request, response) => {
        if (!isLayer(request.path)) return false
        response.writeHead(200, { "content-length": String(layerBytes.length) })
        response.flushHeaders()
        return true
      })
      const stopped = yield* Effect.flip(Effect.provide(pull(`${registry.host}/hello:1`), services({ idleTimeout: "50 millis", attempts: 2 })))
      assert.strictEqual(stopped._tag, "Unreachable")
      assert.include(stopped.message, "nothing came for 50ms")
    }))

  it.scopedLive("lets go of the connection when a pull is given up", () =>
    Effect.gen(function*() {
      const registry = yield* serve
      let closed = 0
      registry.faults.push((request, response) => {
        if (!isLayer(request.path)) return false
        response.on("close", () => (closed += 1))
        response.writeHead(200, { "content-length": String(layerBytes.length) })
        response.write(layerBytes.subarray(0, 1000))
        return true
      })
      yield* Effect.gen(function*() {
        const fiber = yield* Effect.fork(pull(`${registry.host}/hello:1`))
        yield* until("the layer is asked for", Effect.sync(() => registry.seen.some(({ path }) => isLayer(path))))
        yield* Fiber.interrupt(fiber)
        yield* until("the connection is closed", Effect.sync(() => closed === 1))
      }).pipe(Effect.provide(services()))
    }))

  it.scopedLive("reads no more answers of a registry at the same time than it may", () =>
    Effect.gen(function*() {
      const many = testImage({ layers: Array.from({ length: 8 }, (_, index) => ({ [`f${index}`]: noise(50_000, index + 1) })) })
      const registry = yield* startFaultyRegistry([many], { "1": many })
      let open = 0
      let most = 0
      registry.faults.push((request, response) => {
        if (!request.path.includes("/blobs/")) return false
        open += 1
        most = Math.max(most, open)
        response.on("close", () => (open -= 1))
        return false
      })
      yield* Effect.provide(pull(`${registry.host}/many:1`), services({ hosts: { [registry.host]: { concurrency: 2 } } }))
      assert.isAtMost(most, 2)
    }))

  it.scopedLive("resolves by asking for the head, and reads the manifest where that does not help", () =>
    Effect.gen(function*() {
      const registry = yield* serve
      const resolve = Effect.provide(
        Effect.flatMap(RegistryClient.RegistryClient, (client) => client.resolve(reference(`${registry.host}/hello:1`))),
        RegistryClient.layer()
      )
      assert.strictEqual((yield* resolve).digest, image.document.digest)
      assert.deepStrictEqual(registry.seen.map(({ method }) => method), ["HEAD"])
      registry.faults.push((request, response) => {
        if (request.method !== "HEAD") return false
        response.writeHead(405).end()
        return true
      })
      assert.strictEqual((yield* resolve).digest, image.document.digest)
    }))

  it.scopedLive("checks what it reads from a source directly", () =>
    Effect.gen(function*() {
      const registry = yield* serve
      const other = { ...layerBlob, digest: Digest.of("other") }
      registry.faults.push((request, response) => {
        if (!request.path.endsWith(other.digest)) return false
        response.writeHead(200).end(layerBytes)
        return true
      })
      yield* Effect.gen(function*() {
        const client = yield* RegistryClient.RegistryClient
        const source = client.source(reference(`${registry.host}/hello:1`))
        yield* Stream.runDrain(BlobSource.verified(source, layerBlob))
        assert.strictEqual((yield* Effect.flip(Stream.runDrain(BlobSource.verified(source, other))))._tag, "DigestMismatch")
      }).pipe(Effect.provide(RegistryClient.layer()))
    }))
})
