import { assert, describe, it } from "@effect/vitest"
import { CommandLine, CommandRunner } from "@reddwarf/runtime-illumos"
import { Deferred, Effect, Fiber, Stream } from "effect"
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll } from "vitest"
import type * as BlobSource from "../src/BlobSource.js"
import { BlobStore } from "../src/BlobStore.js"
import * as Digest from "../src/Digest.js"
import { Unreachable } from "../src/ImageError.js"
import { ImageStore, type PullRequest } from "../src/ImageStore.js"
import { LayerStore } from "../src/LayerStore.js"
import * as Platform from "../src/Platform.js"
import type { PullEvent } from "../src/PullEvent.js"
import { host, imageOf, images, linux } from "./support/images.js"
import { file, folder } from "./support/tarBytes.js"

const made: Array<string> = []
afterAll(() => made.forEach((directory) => rmSync(directory, { recursive: true, force: true })))
const fresh = (...args: Parameters<typeof host>) => {
  const built = host(...args)
  made.push(built.directory)
  return built
}

const base = [folder("bin"), file("bin/sh", "shell", { mode: 0o755 })]
const web = () => imageOf([base, [file("index.html", "v1")]])
const from = (source: BlobSource.ImageSource, image: string, more: Partial<PullRequest> = {}): PullRequest => ({
  image,
  wanted: linux,
  open: () => Effect.succeed(source),
  ...more
})
const never: PullRequest["open"] = () => Effect.dieMessage("nothing should be fetched")

describe("ImageStore", () => {
  for (const packing of ["gzip", "zstd", "none"] as const) {
    it.live(`pulls an image packed by ${packing}, and has it after a restart`, () => {
      const { directory, realPath, store } = fresh()
      const image = imageOf([base, [file("index.html", "v1"), file("bin/.wh.sh", "")]], { packing, cmd: "/bin/web" })
      const events: Array<PullEvent> = []
      return Effect.gen(function*() {
        const { image: pulled, pulled: fetched } = yield* Effect.flatMap(ImageStore, (images) =>
          images.pull(from(image.source, "web:1", { onEvent: (event) => Effect.sync(() => void events.push(event)) }))).pipe(Effect.provide(store()))
        assert.isTrue(fetched)
        assert.strictEqual(pulled.id, image.id)
        assert.deepStrictEqual(pulled.references, ["docker.io/library/web:1"])
        assert.deepStrictEqual(pulled.digests, [`docker.io/library/web@${image.document.digest}`])
        assert.deepStrictEqual(pulled.config.process.cmd, ["/bin/web"])
        const root = realPath(`/${pulled.snapshot.split("@")[0]}/root`)
        assert.deepStrictEqual(readdirSync(root).sort(), ["bin", "index.html"])
        assert.deepStrictEqual(readdirSync(join(root, "bin")), [])
        assert.deepStrictEqual([...new Set(events.map(({ _tag }) => _tag))], ["Pulling", "Resolved", "Progress", "BlobReady", "Pulled"].filter((tag) => events.some(({ _tag }) => _tag === tag)))
        assert.strictEqual(events.at(-1)?._tag, "Pulled")

        yield* Effect.gen(function*() {
          const images = yield* ImageStore
          const again = yield* images.pull({ image: "docker.io/library/web:1", wanted: linux, open: never })
          assert.deepStrictEqual(again, { image: pulled, pulled: false })
          assert.deepStrictEqual(yield* images.list, [pulled])
          assert.strictEqual((yield* images.inspect(Digest.short(pulled.id))).id, pulled.id)
          assert.strictEqual((yield* images.inspect(`web@${image.document.digest}`)).id, pulled.id)
          assert.strictEqual((yield* Effect.flip(images.inspect("other")))._tag, "NotFound")
          // What was unpacked is not kept packed as well.
          assert.deepStrictEqual(yield* (yield* BlobStore).list, [])
        }).pipe(Effect.provide(store()))
        assert.isTrue(existsSync(join(directory, "data", "images.json")))
      })
    })
  }

  it.live("fetches what several ask for at the same time once, and shares layers between images", () => {
    const { store } = fresh()
    const first = web()
    const second = imageOf([base, [file("index.html", "v2")]])
    return Effect.gen(function*() {
      const images = yield* ImageStore
      const all = yield* Effect.all(Array.from({ length: 6 }, () => images.pull(from(first.source, "web:1"))), { concurrency: "unbounded" })
      assert.strictEqual(all.filter(({ pulled }) => pulled).length, 1)
      assert.strictEqual(first.opened.length, new Set(first.opened).size)
      yield* images.pull(from(second.source, "web:2"))
      // The common layer is neither fetched nor unpacked again.
      assert.isFalse(second.opened.includes(Digest.of(second.packed[0] ?? "")))
      assert.strictEqual((yield* (yield* LayerStore).list).length, 3)
    }).pipe(Effect.provide(store()))
  })

  it.live("does what the pull policy says", () => {
    const { store } = fresh()
    const first = web()
    const second = imageOf([base, [file("index.html", "v2")]])
    return Effect.gen(function*() {
      const images = yield* ImageStore
      assert.strictEqual((yield* Effect.flip(images.pull(from(first.source, "web:1", { policy: "Never" }))))._tag, "NeverPull")
      yield* images.pull(from(first.source, "web:1"))
      assert.isFalse((yield* images.pull(from(second.source, "web:1", { policy: "Never" }))).pulled)
      assert.isFalse((yield* images.pull(from(second.source, "web:1"))).pulled)
      const moved = yield* images.pull(from(second.source, "web:1", { policy: "Always" }))
      assert.isTrue(moved.pulled)
      assert.strictEqual(moved.image.id, second.id)
      // The name has gone from the one that had it.
      assert.deepStrictEqual(new Map((yield* images.list).map(({ id, references }) => [id, references.length])), new Map([[first.id, 0], [second.id, 1]]))
      const down = new Unreachable({ reference: "web:1", source: "test", detail: "no route" })
      assert.strictEqual((yield* Effect.flip(images.pull({ image: "web:1", wanted: linux, policy: "Always", open: () => down })))._tag, "Unreachable")
      // The tag latest is asked for each time.
      yield* images.pull(from(first.source, "web"))
      assert.isTrue((yield* images.pull(from(first.source, "web"))).pulled)
      assert.strictEqual((yield* Effect.flip(images.pull(from(first.source, "Bad Name"))))._tag, "InvalidReference")
    }).pipe(Effect.provide(store()))
  })

  it.live("keeps images of one name for several platforms apart", () => {
    const { store } = fresh()
    const lx = web()
    const native = imageOf([base], { platform: { os: "illumos", architecture: "amd64" } })
    return Effect.gen(function*() {
      const images = yield* ImageStore
      const wanted = Platform.forBrand("sparse")
      yield* images.pull(from(lx.source, "web:1"))
      assert.strictEqual((yield* Effect.flip(images.pull({ ...from(lx.source, "web:1"), wanted })))._tag, "UnsupportedPlatform")
      const other = yield* images.pull({ ...from(native.source, "web:1"), wanted })
      assert.isTrue(other.pulled)
      assert.strictEqual((yield* images.inspect("web:1", linux)).id, lx.id)
      assert.strictEqual((yield* images.inspect("web:1", wanted)).id, native.id)
      const unclear = yield* Effect.flip(images.inspect("web:1"))
      assert.include(unclear.message, Digest.short(native.id))
    }).pipe(Effect.provide(store()))
  })

  it.live("does not remove an image that is used, by note, by clone or by another image", () => {
    const { store } = fresh()
    const first = web()
    const upper = imageOf([base, [file("index.html", "v1")], [file("more", "x")]])
    return Effect.gen(function*() {
      const runner = yield* CommandRunner.CommandRunner
      yield* Effect.gen(function*() {
        const images = yield* ImageStore
        yield* images.pull(from(first.source, "web:1"))
        yield* images.pull(from(upper.source, "web:2"))
        yield* images.use(first.id, "pod-1")
        yield* images.use(first.id, "pod-1")
        yield* images.use(first.id, "pod-2")
        const refused = yield* Effect.flip(images.remove("web:1"))
        assert.strictEqual(refused._tag === "ImageInUse" ? refused.users.join() : refused._tag, "pod-1,pod-2")
        yield* images.release("pod-1")
      }).pipe(Effect.provide(store()))

      // It is used after a restart, too; and what is not there any more gives it back.
      yield* Effect.gen(function*() {
        const images = yield* ImageStore
        const { snapshot } = yield* images.inspect("web:1")
        assert.strictEqual((yield* Effect.flip(images.remove("web:1")))._tag, "ImageInUse")
        const destroyed = yield* runner.run(CommandLine.make("/usr/sbin/zfs", "destroy", snapshot))
        assert.notStrictEqual(destroyed.exitCode, 0)
        yield* images.retainUsers(new Set())
        // The layers stay: the other image stands on them.
        assert.isUndefined(yield* images.remove("web:1"))
        assert.strictEqual((yield* (yield* LayerStore).list).length, 3)
        const other = yield* images.inspect("web:2")
        assert.strictEqual((yield* runner.run(CommandLine.make("/usr/sbin/zfs", "clone", images.rootFor(other), "rpool/pod"))).exitCode, 0)
        assert.strictEqual((yield* Effect.flip(images.remove("web:2")))._tag, "ImageInUse")
        assert.strictEqual((yield* images.list).length, 1)
        yield* runner.run(CommandLine.make("/usr/sbin/zfs", "destroy", "rpool/pod"))
        assert.isUndefined(yield* images.remove(other.id))
        assert.deepStrictEqual(yield* (yield* LayerStore).list, [])
      }).pipe(Effect.provide(store()))
    }).pipe(Effect.provide(store()))
  })

  it.live("removes a name before the image", () => {
    const { store } = fresh()
    const first = web()
    return Effect.gen(function*() {
      const images = yield* ImageStore
      yield* images.pull(from(first.source, "web:1"))
      yield* images.tag("web:1", "web:stable")
      assert.deepStrictEqual((yield* images.remove("web:1"))?.references, ["docker.io/library/web:stable"])
      assert.isUndefined(yield* images.remove("web:stable"))
      assert.deepStrictEqual(yield* images.list, [])
    }).pipe(Effect.provide(store()))
  })

  it.live("makes room by the age of images, never of those in use", () => {
    const { store } = fresh()
    const many = Array.from({ length: 4 }, (_, index) => imageOf([base, [file("big", `${index}`.repeat(200_000))]]))
    return Effect.gen(function*() {
      const images = yield* ImageStore
      for (const [index, image] of many.entries()) yield* images.pull(from(image.source, `web:${index}`))
      yield* images.use(many[0]?.id ?? Digest.of(""), "pod")
      const clone = yield* (yield* CommandRunner.CommandRunner).run(CommandLine.make("/usr/sbin/zfs", "clone", (yield* images.inspect("web:1")).snapshot, "rpool/pod"))
      assert.strictEqual(clone.exitCode, 0)
      const nothing = yield* images.collect({ highPercent: 99, lowPercent: 90, minAge: 0 })
      assert.deepStrictEqual(nothing.removed, [])
      const young = yield* images.collect({ highPercent: 0, lowPercent: 0, minAge: 3_600_000 })
      assert.deepStrictEqual(young.removed, [])
      const all = yield* images.collect({ highPercent: 0, lowPercent: 0, minAge: 0 })
      assert.deepStrictEqual(all.kept.join(), String(many[1]?.id))
      assert.deepStrictEqual(all.removed.map(({ id }) => id), [many[2]?.id, many[3]?.id])
      assert.isAbove(all.freed, 400_000)
      assert.deepStrictEqual((yield* images.list).map(({ id }) => id), [many[0]?.id, many[1]?.id])
    }).pipe(Effect.provide(store()))
  })

  it.live("prunes what has no name, or all that nobody uses", () => {
    const { store } = fresh()
    const first = web()
    const second = imageOf([base, [file("index.html", "v2")]])
    return Effect.gen(function*() {
      const images = yield* ImageStore
      yield* images.pull(from(first.source, "web:1"))
      yield* images.pull(from(second.source, "web:1", { policy: "Always" }))
      assert.deepStrictEqual((yield* images.prune()).removed.map(({ id }) => id), [first.id])
      assert.deepStrictEqual((yield* images.prune({ all: true })).removed.map(({ id }) => id), [second.id])
      assert.deepStrictEqual(yield* (yield* LayerStore).list, [])
    }).pipe(Effect.provide(store()))
  })

  it.live("ends a pull that is interrupted, and goes on where it was", () => {
    const { store } = fresh()
    const image = web()
    return Effect.gen(function*() {
      const images = yield* ImageStore
      const begun = yield* Deferred.make<void>()
      const slow: BlobSource.ImageSource = {
        ...image.source,
        open: (blob, at) => blob.digest === Digest.of(image.packed[1] ?? "")
          ? Stream.unwrap(Effect.as(Deferred.succeed(begun, undefined), Stream.never))
          : image.source.open(blob, at)
      }
      const fiber = yield* Effect.fork(images.pull(from(slow, "web:1")))
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(yield* images.list, [])
      yield* images.pull(from(image.source, "web:1"))
    }).pipe(Effect.provide(store()))
  })

  it.live("refuses a damaged record, forgets images whose layers are gone, and removes layers nobody knows", () => {
    const { directory, store } = fresh()
    const image = web()
    const record = join(directory, "data", "images.json")
    return Effect.gen(function*() {
      yield* Effect.flatMap(ImageStore, (images) => images.pull(from(image.source, "web:1"))).pipe(Effect.provide(store()))
      const text = readFileSync(record, "utf8")
      writeFileSync(record, text.replace("web:1", "web:2"))
      const refused = yield* Effect.flip(Effect.provide(ImageStore, store()))
      assert.include(refused.message, "checksum")

      rmSync(record)
      yield* Effect.gen(function*() {
        assert.deepStrictEqual(yield* (yield* ImageStore).list, [])
        assert.deepStrictEqual(yield* (yield* LayerStore).list, [])
      }).pipe(Effect.provide(store()))

      writeFileSync(record, text)
      assert.deepStrictEqual(yield* Effect.provide(Effect.flatMap(ImageStore, (images) => images.list), store()), [])
    })
  })

  it.live("lets another process have its turn, and waits only so long", () => {
    const { directory, store } = fresh({ patience: "300 millis" })
    const image = web()
    const program = `const { DatabaseSync } = require("node:sqlite")
      const database = new DatabaseSync(process.argv[1]); database.exec("BEGIN EXCLUSIVE"); process.stdout.write("taken\\n"); process.stdin.resume()`
    return Effect.gen(function*() {
      const images = yield* ImageStore
      const { spawn } = yield* Effect.promise(() => import("node:child_process"))
      const child = spawn(process.execPath, ["-e", program, join(directory, "data", "lock")], { stdio: ["pipe", "pipe", "ignore"] })
      yield* Effect.async<void>((resume) => void child.stdout.once("data", () => resume(Effect.void)))
      const refused = yield* Effect.flip(images.pull(from(image.source, "web:1")))
      assert.include(refused.message, "another process")
      assert.deepStrictEqual(yield* images.list, [])
      const gone = Effect.async<void>((resume) => void child.once("exit", () => resume(Effect.void)))
      child.kill("SIGKILL")
      yield* gone
      yield* images.pull(from(image.source, "web:1"))
    }).pipe(Effect.provide(store()))
  })

  it.live("has images without layers", () => {
    const { realPath, store } = fresh()
    const image = imageOf([])
    return Effect.gen(function*() {
      const store = yield* ImageStore
      const { image: pulled } = yield* store.pull(from(image.source, "scratch:1"))
      assert.deepStrictEqual(readdirSync(realPath(`/${pulled.snapshot.split("@")[0]}/root`)), [])
      assert.isTrue(pulled.snapshot.startsWith(`${images}/layers/`))
      yield* store.remove("scratch:1")
      assert.deepStrictEqual(yield* (yield* LayerStore).list, [])
    }).pipe(Effect.provide(store()))
  })
})
