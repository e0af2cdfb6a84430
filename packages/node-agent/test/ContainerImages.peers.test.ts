import { assert, describe, it } from "@effect/vitest"
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { FakeApi } from "@reddwarf/client"
import { ImageConfig, ImageStore, RegistryClient } from "@reddwarf/images"
import { ContainerExec, ContainerTarget, SupervisorClient } from "@reddwarf/node-agent"
import { CommandRunner } from "@reddwarf/runtime-illumos"
import { StorageEngine } from "@reddwarf/storage-zfs"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Stream from "effect/Stream"
import { PassThrough } from "node:stream"
import * as h from "./support/harness.js"
import { imagesLayer, missing, pushBusybox } from "./support/imageRegistry.js"
import { withImages } from "./support/imageNode.js"

describe("images of pods that went while no agent was there", () => {
  it.live("are given back when it starts, those of pods that are there are not", () =>
    Effect.gen(function*() {
      const folders = yield* h.directories
      const whole = Effect.gen(function*() {
        yield* h.emptyAtEnd
        const storage = yield* StorageEngine.StorageEngine
        yield* storage.ensureDatasets
        const store = yield* ImageStore.ImageStore
        const { id } = yield* store.create<never>({ config: ImageConfig.make({ os: "linux", architecture: "amd64" }, []), layers: [], references: ["local/app:1"], origin: "import" })
        // Its image is not to be had, so it stays as it is.
        const pod = yield* h.createPod(h.draft("here", [{ name: "c", image: "local/other:1", imagePullPolicy: "Never" }]))
        const uid = pod.metadata.uid ?? ""
        yield* store.use(id, uid)
        yield* store.use(id, "of-a-pod-that-is-gone")
        yield* h.agent(folders)
        yield* h.until("the image to be given back", Effect.map(store.inspect(id), ({ users }) => users.length === 1 ? true : undefined))
        assert.deepStrictEqual((yield* store.inspect(id)).users, [uid])
      })
      const services = imagesLayer(folders).pipe(Layer.provideMerge(Layer.merge(h.hostLayer(folders), RegistryClient.layer())))
      yield* whole.pipe(Effect.scoped, Effect.provide(services))
    }).pipe(Effect.provide(FakeApi.layer()), Effect.scoped, Logger.withMinimumLogLevel(LogLevel.Error)), 60_000)
})

const events = Effect.map(FakeApi.FakeApi, (api) =>
  api.list<CoreV1.Event>(Kinds.event, "default").filter(({ involvedObject }) => involvedObject.kind === "Pod"))

/** A command in the container, as kubectl exec has it run. */
const exec = (folders: h.Directories, pod: CoreV1.Pod, argv: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const runner = yield* CommandRunner.CommandRunner
    const client = yield* Effect.provide(SupervisorClient.SupervisorClient, SupervisorClient.layer({ dataDir: folders.dataDir }))
    const supervised = yield* client.read(pod.metadata.uid ?? "")
    const target = Either.getOrThrowWith(ContainerTarget.find(supervised, "c"), ({ message }) => new Error(message))
    const stdout = new PassThrough()
    const chunks: Array<Buffer> = []
    stdout.on("data", (chunk: Buffer) => chunks.push(chunk))
    const outcome = yield* ContainerExec.run(
      runner,
      { target, argv, options: { stdin: false, stdout: true, stderr: true, tty: false } },
      { stdin: new PassThrough().end(), stdout, stderr: new PassThrough().resume(), resize: Stream.empty }
    )
    return { exitCode: outcome._tag === "Exited" ? outcome.exitCode : outcome.message, stdout: Buffer.concat(chunks).toString() }
  })

const script = "echo \"$@\"; id -u; id -g; pwd; echo $GREETING $PATH; cat greeting; ls /srv; while :; do sleep 1; done"

describe("images (skipped unless run as root with REDDWARF_PEERS naming a folder with bin/docker-registry and bin/busybox)", () => {
  it.live.skipIf(missing)("from a registry are what a pod's processes run: program, variables, user, directory, root", () =>
    withImages((folders, host) =>
      Effect.gen(function*() {
        const image = `${host}/team/app:1`
        const digest = yield* pushBusybox(image, {
          entrypoint: ["/bin/sh", "-c", script, "entry"],
          cmd: ["image", "arguments"],
          env: ["GREETING=hello", "PATH=/bin"],
          workingDir: "/srv/app",
          user: "web"
        })
        yield* h.createPod(h.draft("app", [{ name: "c", image }]))
        const pod = yield* h.untilPod("app", "ready", h.isReady, 30)
        const said = "image arguments\n1234\n1235\n/srv/app\nhello /bin\nfrom the image\napp\n"
        yield* h.until("the log", Effect.sync(() => h.logText(folders, pod, "c", 0) === said ? true : undefined)).pipe(
          Effect.catchAll(() => Effect.sync(() => assert.strictEqual(h.logText(folders, pod, "c", 0), said)))
        )
        assert.strictEqual(h.container(pod, "c")?.imageID, `${host}/team/app@${digest}`)
        const reasons = (yield* events).map(({ message = "", reason = "" }) => `${reason}: ${message}`)
        assert.include(reasons, `Pulling: Pulling image "${image}"`)
        assert.isTrue(reasons.some((text) => text.startsWith(`Pulled: Successfully pulled image "${image}" in `)))
        const inside = yield* exec(folders, pod, ["sh", "-c", "id -u; pwd; echo $GREETING \"$@\"; exit 3", "-c", "it's", "-s"])
        assert.deepStrictEqual(inside, { exitCode: 3, stdout: "1234\n/srv/app\nhello it's -s\n" })
        // Another pod finds the image here, and says itself what is run.
        yield* h.createPod(h.draft("second", [{
          name: "c",
          image,
          args: ["own"],
          env: [{ name: "GREETING", value: "pod's" }],
          workingDir: "/",
          securityContext: { runAsUser: 0 }
        }], { restartPolicy: "Never" }))
        const second = yield* h.untilPod("second", "running", (pod) => pod.status?.phase === "Running" || pod.status?.phase === "Failed", 30)
        yield* h.until("its log", Effect.sync(() => h.logText(folders, second, "c", 0).includes("pod's /bin\n") ? true : undefined))
        assert.match(h.logText(folders, second, "c", 0), /^own\n0\n0\n\/\npod's \/bin\n/)
      })), 90_000)

  it.live.skipIf(missing)("that are not to be had are told as users know it", () =>
    withImages((_, host) =>
      Effect.gen(function*() {
        const waiting = (name: string, reason: string) =>
          h.untilPod(name, `waiting for ${reason}`, (pod) => h.container(pod, "c")?.state?.waiting?.reason === reason)
        yield* h.createPod(h.draft("absent", [{ name: "c", image: `${host}/no/such:1` }]))
        yield* h.createPod(h.draft("never", [{ name: "c", image: `${host}/no/such:1`, imagePullPolicy: "Never" }]))
        yield* h.createPod(h.draft("odd", [{ name: "c", image: "Not An Image" }]))
        yield* waiting("absent", "ImagePullBackOff")
        // Nothing was asked of a registry for these: they say what is wrong at any time.
        yield* waiting("never", "ErrImageNeverPull")
        yield* waiting("odd", "InvalidImageName")
        yield* h.until("the events", Effect.map(events, (all) => {
          const reasons = new Set(all.map(({ reason }) => reason))
          return ["Failed", "BackOff", "ErrImageNeverPull", "InspectFailed"].every((reason) => reasons.has(reason)) ? true : undefined
        }))
        const all = yield* events
        assert.isTrue(all.some(({ message = "" }) => message.startsWith(`Failed to pull image "${host}/no/such:1"`)))
        for (const reason of ["ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"]) {
          assert.isTrue(all.some(({ message }) => message === `Error: ${reason}`), reason)
        }
      })), 90_000)
})
