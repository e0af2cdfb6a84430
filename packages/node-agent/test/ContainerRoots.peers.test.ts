import { assert, describe, it } from "@effect/vitest"
import { ApiClient } from "@reddwarf/client"
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { ImageStore } from "@reddwarf/images"
import { ContainerCopy, ContainerExec, ContainerTarget, SupervisorClient } from "@reddwarf/node-agent"
import { CommandRunner } from "@reddwarf/runtime-illumos"
import { DatasetName, StorageEngine, Zfs } from "@reddwarf/storage-zfs"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import { existsSync } from "node:fs"
import { PassThrough } from "node:stream"
import * as h from "./support/harness.js"
import type { Extras } from "vitest-config/busybox"
import { missing, pushBusybox } from "./support/imageRegistry.js"
import { withImages } from "./support/imageNode.js"

const targetOf = (folders: h.Directories, pod: CoreV1.Pod, container: string) =>
  Effect.gen(function*() {
    const client = yield* Effect.provide(SupervisorClient.SupervisorClient, SupervisorClient.layer({ dataDir: folders.dataDir }))
    const supervised = yield* client.read(pod.metadata.uid ?? "")
    return Either.getOrThrowWith(ContainerTarget.find(supervised, container), ({ message }) => new Error(message))
  })

type Run = typeof ContainerExec.run

/** A command in a container, as kubectl sends it. */
const command = (run: Run) => (folders: h.Directories, pod: CoreV1.Pod, container: string, argv: ReadonlyArray<string>, input?: Uint8Array) =>
  Effect.gen(function*() {
    const target = yield* targetOf(folders, pod, container)
    const [stdout, stderr] = [new PassThrough(), new PassThrough()]
    const chunks: Array<Buffer> = []
    const complaints: Array<Buffer> = []
    stdout.on("data", (chunk: Buffer) => chunks.push(chunk))
    stderr.on("data", (chunk: Buffer) => complaints.push(chunk))
    const outcome = yield* run(
      yield* CommandRunner.CommandRunner,
      { target, argv, options: { stdin: input !== undefined, stdout: true, stderr: true, tty: false } },
      { stdin: new PassThrough().end(input), stdout, stderr, resize: Stream.empty }
    )
    return {
      exitCode: outcome._tag === "Exited" ? outcome.exitCode : outcome.message,
      stdout: Buffer.concat(chunks),
      text: `${Buffer.concat(chunks).toString()}${Buffer.concat(complaints).toString()}`
    }
  })
const exec = command(ContainerExec.run)
const copy = command(ContainerCopy.serve)

const forever = "while :; do sleep 1; done"

/** An image that says its name in a file, and has an account of its own. */
const push = (host: string, name: string, extras: Extras = {}) =>
  pushBusybox(`${host}/team/${name}:1`, { entrypoint: ["/bin/sh", "-c"], cmd: [`cat /which; id -u; id -G; pwd; ${forever}`], env: ["PATH=/bin", `OF=${name}`], workingDir: `/srv/${name}`, user: "me" }, {
    ...extras,
    texts: {
      which: `${name}\n`,
      "etc/passwd": `root:x:0:0::/:/bin/sh\nme:x:${name.length}00:${name.length}01::/:/bin/sh\n`,
      "etc/group": `root:x:0:\nme:x:${name.length}01:\nmore:x:${name.length}02:me\n`,
      ...extras.texts
    }
  })

const logged = (folders: h.Directories, pod: CoreV1.Pod, container: string, wanted: string) =>
  h.until(`the log of ${container}`, Effect.sync(() => h.logText(folders, pod, container, 0) === wanted ? true : undefined)).pipe(
    Effect.catchAll(() => Effect.sync(() => assert.strictEqual(h.logText(folders, pod, container, 0), wanted)))
  )

const clonesOf = Effect.flatMap(Zfs.Zfs, (zfs) => zfs.getTree(DatasetName.make("rpool/reddwarf/zones"), ["type"], 2)).pipe(
  Effect.map((table) => [...table.keys()].flatMap((name) => /\/root-([^./]+)\.[0-9a-f]{12}$/.exec(name)?.[1] ?? []).sort()),
  Effect.provide(Zfs.layer)
)

describe("containers with roots of their own (skipped unless run as root with REDDWARF_PEERS naming a folder with bin/docker-registry and bin/busybox)", () => {
  it.live.skipIf(missing)("run each in the files of its image, as its user, in its directory, and share volumes and names", () =>
    withImages((folders, host) =>
      Effect.gen(function*() {
        for (const name of ["one", "three", "seven"]) yield* push(host, name, { links: { "var/run": "/run" } })
        const image = (name: string) => `${host}/team/${name}:1`
        const mounts = [{ name: "shared", mountPath: "/data" }, { name: "shared", mountPath: "/var/run/app" }]
        yield* h.createPod(h.draft("p", [
          { name: "a", image: image("one"), volumeMounts: [...mounts, { name: "memory", mountPath: "/cache" }] },
          { name: "b", image: image("three"), volumeMounts: [{ name: "shared", mountPath: "/elsewhere" }, { name: "own", mountPath: "/data" }, { name: "memory", mountPath: "/memory" }] }
        ], {
          initContainers: [{ name: "i", image: image("seven"), command: ["/bin/sh", "-c", "cat /which >/data/from-init; echo last words >/dev/termination-log"], volumeMounts: mounts, securityContext: { runAsUser: 0 } }],
          volumes: [{ name: "shared", emptyDir: {} }, { name: "own", emptyDir: {} }, { name: "memory", emptyDir: { medium: "Memory" } }],
          hostAliases: [{ ip: "10.1.1.1", hostnames: ["alias"] }]
        }))
        const pod = yield* h.untilPod("p", "ready", h.isReady, 30)
        yield* logged(folders, pod, "a", "one\n300\n301 302\n/srv/one\n")
        yield* logged(folders, pod, "b", "three\n500\n501 502\n/srv/three\n")
        const ids = [...pod.status?.initContainerStatuses ?? [], ...pod.status?.containerStatuses ?? []].map(({ imageID }) => imageID.split("@")[0])
        assert.deepStrictEqual(ids, ["seven", "one", "three"].map((name) => `${host}/team/${name}`))
        assert.strictEqual(h.container(pod, "i")?.state?.terminated?.message, "last words\n")
        assert.deepStrictEqual(yield* clonesOf, ["a", "b", "i"])

        const seen = "cat /which; echo $OF; pwd; grep -c alias /etc/hosts; cat /etc/hostname; ls /data; test -c /dev/null && test -d /proc/1 && echo yes"
        assert.strictEqual((yield* exec(folders, pod, "a", ["/bin/sh", "-c", seen])).text, "one\none\n/srv/one\n1\np\nfrom-init\nyes\n")
        assert.strictEqual((yield* exec(folders, pod, "b", ["/bin/sh", "-c", seen])).text, "three\nthree\n/srv/three\n1\np\nyes\n")
        assert.strictEqual((yield* exec(folders, pod, "b", ["cat", "/elsewhere/from-init"])).text, "seven\n")
        assert.strictEqual((yield* exec(folders, pod, "a", ["cat", "/var/run/app/from-init"])).text, "seven\n")
        yield* exec(folders, pod, "a", ["/bin/sh", "-c", "echo shared >/cache/x"])
        assert.strictEqual((yield* exec(folders, pod, "b", ["cat", "/memory/x"])).text, "shared\n")
        const lost = yield* exec(folders, pod, "b", ["nonsense"])
        assert.notStrictEqual(lost.exitCode, 0)

        // What kubectl cp does; these images have no tar.
        const archive = yield* copy(folders, pod, "b", ["tar", "cf", "-", "/which"])
        assert.include(archive.stdout.toString("latin1"), "three\n")
        const written = yield* copy(folders, pod, "b", ["tar", "-xmf", "-", "-C", "/tmp"], archive.stdout)
        assert.deepStrictEqual([written.exitCode, written.text], [0, ""])
        assert.strictEqual((yield* exec(folders, pod, "b", ["cat", "/tmp/which"])).text, "three\n")
        assert.notStrictEqual((yield* exec(folders, pod, "a", ["cat", "/tmp/which"])).exitCode, 0)

        yield* Effect.flatMap(ApiClient.ApiClient, (client) => client.delete(Kinds.pod, { namespace: "default", name: "p" }))
        yield* h.until("the pod to go", Effect.map(h.getPod("p"), (pod) => pod === undefined ? true : undefined))
        assert.deepStrictEqual(yield* clonesOf, [])
        const store = yield* ImageStore.ImageStore
        assert.isTrue((yield* store.list).every(({ users }) => users.length === 0))
        assert.deepStrictEqual((yield* Effect.flatMap(StorageEngine.StorageEngine, ({ listOwned }) => listOwned)).length, 0)
      })), 90_000)

  it.live.skipIf(missing)("can be read-only, and get the groups of their pod", () =>
    withImages((folders, host) =>
      Effect.gen(function*() {
        // Programs that can set groups: every illumos has one, a simulated zone has what its image brings.
        const programs = existsSync("/usr/bin/perl") ? ["/usr/bin/perl"] : []
        yield* push(host, "one", { programs })
        const say = "id -u; id -G; stat -c %g:%a /data; echo x >/data/x; stat -c %g /data/x; (echo x >/file) 2>/dev/null || echo refused; "
        const security = { fsGroup: 77, supplementalGroups: [88], runAsUser: 1000, runAsGroup: 1001 }
        const container = { image: `${host}/team/one:1`, command: ["/bin/sh", "-c", say + forever], workingDir: "/made/here", volumeMounts: [{ name: "v", mountPath: "/data" }] }
        yield* h.createPod(h.draft("p", [{ name: "a", ...container, securityContext: { readOnlyRootFilesystem: true } }], {
          volumes: [{ name: "v", emptyDir: {} }],
          securityContext: security
        }))
        const pod = yield* h.untilPod("p", "ready", h.isReady, 30)
        yield* logged(folders, pod, "a", "1000\n1001 77 88\n77:2777\n77\nrefused\n")
        assert.deepStrictEqual(yield* clonesOf, ["a"])
        assert.strictEqual((yield* exec(folders, pod, "a", ["/bin/sh", "-c", "id -G; pwd; exit 7"])).text, "1001 77 88\n/made/here\n")

        yield* h.createPod(h.draft("root", [{ name: "a", ...container, securityContext: { runAsNonRoot: true, runAsUser: 0 } }], { volumes: [{ name: "v", emptyDir: {} }] }))
        const refused = yield* h.untilPod("root", "refused", (pod) => h.container(pod, "a")?.state?.waiting?.reason === "CreateContainerConfigError")
        assert.strictEqual(
          h.container(refused, "a")?.state?.waiting?.message,
          `container's runAsUser breaks non-root policy (pod: "root_default(${refused.metadata.uid})", container: a)`
        )
      })), 90_000)

  it.live.skipIf(missing)("can come while the pod runs", () =>
    withImages((folders, host) =>
      Effect.gen(function*() {
        for (const name of ["one", "three"]) yield* push(host, name)
        yield* h.createPod(h.draft("p", [{ name: "a", image: `${host}/team/one:1`, volumeMounts: [{ name: "v", mountPath: "/data" }] }], { volumes: [{ name: "v", emptyDir: {} }] }))
        const pod = yield* h.untilPod("p", "ready", h.isReady, 30)
        const client = yield* ApiClient.ApiClient
        yield* exec(folders, pod, "a", ["/bin/sh", "-c", "echo kept >/data/file"])
        const ephemeralContainers = [
          { name: "debug", image: `${host}/team/three:1`, volumeMounts: [{ name: "v", mountPath: "/there" }] },
          { name: "absent", image: `${host}/team/nothing:1` }
        ]
        yield* client.patch(Kinds.pod, { namespace: "default", name: "p" }, { spec: { ephemeralContainers } }, { type: "merge", subresource: "ephemeralcontainers" })
        const status = (pod: CoreV1.Pod, name: string) => pod.status?.ephemeralContainerStatuses?.find((each) => each.name === name)
        const debugged = yield* h.untilPod("p", "debugged", (pod) =>
          status(pod, "debug")?.state?.running !== undefined && /ErrImagePull|ImagePullBackOff/.test(status(pod, "absent")?.state?.waiting?.reason ?? ""), 30)
        assert.match(status(debugged, "debug")?.imageID ?? "", /\/team\/three@sha256:/)
        yield* logged(folders, pod, "debug", "three\n500\n501 502\n/srv/three\n")
        assert.strictEqual((yield* exec(folders, pod, "debug", ["/bin/sh", "-c", "cat /which /there/file; echo ok >/tmp/x && cat /tmp/x; grep -c localhost /etc/hosts"])).text, "three\nkept\nok\n2\n")
        assert.strictEqual((yield* exec(folders, pod, "debug", ["cat", "/tmp/x"])).text, "ok\n")
        assert.strictEqual((yield* exec(folders, pod, "a", ["cat", "/which"])).text, "one\n")
      })), 90_000)
})
