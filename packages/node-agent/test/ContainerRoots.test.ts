import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import { ImageConfig } from "@reddwarf/images"
import { ContainerRoots, type ImageProcess, VolumeOwnership } from "@reddwarf/node-agent"
import { DatasetName } from "@reddwarf/storage-zfs"
import * as Effect from "effect/Effect"
import { execFileSync, spawnSync } from "node:child_process"
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as containerEntry from "../src/internal/containerEntry.js"
import * as imagePath from "../src/internal/imagePath.js"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "reddwarf-roots-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)
const isRoot = process.getuid?.() === 0

const image = (id: string, root: Partial<ImageProcess.ImageRoot> = {}): ImageProcess.ContainerImage => ({
  imageID: id,
  process: ImageConfig.make({ os: "linux", architecture: "amd64" }, [], { workingDir: "/srv" }).process,
  passwd: "",
  group: "",
  root: { id, snapshot: DatasetName.snapshot(DatasetName.make(`pool/${id}`), "layer"), os: "linux", hasShell: true, places: new Map(), ...root }
})

const podOf = (containers: ReadonlyArray<Partial<CoreV1.Container> & { readonly name: string }>, init: ReadonlyArray<string> = []): CoreV1.Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", namespace: "n" },
  spec: { containers, initContainers: init.map((name) => ({ name })) }
})

const inputs = (images: Readonly<Record<string, ImageProcess.ContainerImage>>, pod = podOf([{ name: "a" }, { name: "b" }], ["i"])): ContainerRoots.Inputs => ({
  pod,
  images: new Map(Object.entries(images))
})
const three = { a: image("x1"), b: image("x2"), i: image("x3") }

describe("the roots of the containers of a pod", () => {
  it("are one for each container, so that none has that of the zone, which cannot be made fresh", () => {
    const roots = ContainerRoots.of(inputs(three))
    assert.deepStrictEqual([...roots.keys()], ["i", "a", "b"])
    assert.deepInclude(roots.get("b"), { name: "b.x2", path: "/var/reddwarf-roots/b", readOnly: false, workingDirectory: "/srv", messagePath: "/dev/termination-log" })
    assert.strictEqual(ContainerRoots.place({ pod: inputs(three).pod }, "a", "/data"), "/data")
    assert.strictEqual(ContainerRoots.place(inputs(three), "b", "/data"), "/var/reddwarf-roots/b/data")
    assert.deepStrictEqual([...ContainerRoots.of({ pod: podOf([{ name: "a" }]) })], [])
  })

  it("leave the zone to a container that has a shell", () => {
    const without = { ...three, a: image("x1", { hasShell: false }) }
    assert.strictEqual(ContainerRoots.zoneContainer(inputs(without)), "b")
    assert.deepStrictEqual([...ContainerRoots.of(inputs(without)).keys()], ["i", "a", "b"])
    const none = { a: image("x1", { hasShell: false }), b: image("x2", { hasShell: false }) }
    assert.strictEqual(ContainerRoots.zoneContainer(inputs(none)), "a")
  })

  it("are there for a container that wants its own read-only, with every place that something is mounted at", () => {
    const pod = podOf([{ name: "a", securityContext: { readOnlyRootFilesystem: true }, terminationMessagePath: "/last", workingDir: "/work" }])
    const root = ContainerRoots.of(inputs({ a: three.a }, pod)).get("a")
    if (root === undefined) throw new Error("no root")
    const mounts = [{ dir: "/data", special: "/volume" }, { dir: "/etc/one", special: "/file" }]
    const places = ContainerRoots.places(root, mounts, (special) => special === "/file")
    assert.deepStrictEqual([...places.folders], ["/dev", "/proc", "/data", "/work"])
    assert.deepStrictEqual(places.files.map(({ path }) => path), ["/etc/one", "/last"])
    assert.deepStrictEqual(ContainerRoots.fileSystem(root, "/x").options, ["ro", "nodevices"])
    assert.deepStrictEqual(ContainerRoots.notReadOnly({ pod }), ["a"])
  })

  it("share what is memory, which the zone mounts once", () => {
    const mount = (mountPath: string, readOnly = false) => ({ volumeMounts: [{ name: "m", mountPath, readOnly }] })
    const pod = podOf([{ name: "a", ...mount("/x") }, { name: "b", ...mount("/y", true) }], ["i"])
    const shared = { pod: { ...pod, spec: { containers: [], ...pod.spec, volumes: [{ name: "m", emptyDir: { medium: "Memory" } }] } }, images: new Map(Object.entries(three)) }
    assert.deepStrictEqual(ContainerRoots.of(shared).get("a")?.binds, [{ from: "/var/reddwarf-memory/m", to: "/x" }])
    assert.deepStrictEqual(ContainerRoots.of(shared).get("b")?.binds, [{ from: "/var/reddwarf-memory/m", to: "/y", readOnly: true }])
    assert.isUndefined(ContainerRoots.of(shared).get("i")?.binds)
    assert.deepStrictEqual([...ContainerRoots.sharedPlaces(shared)], ["/var/reddwarf-roots/a/x", "/var/reddwarf-roots/b/y"])
    assert.deepStrictEqual([...ContainerRoots.memoryPlaces(shared)], [["m", "/var/reddwarf-memory/m"]])
    assert.deepStrictEqual([...ContainerRoots.memoryPlaces({ pod: shared.pod })], [], "without images the zone mounts it where the containers want it")
  })

  it("have the places of what the zone mounts in them, as what they begin with is all that stays", () => {
    const root = ContainerRoots.of(inputs(three)).get("a")
    if (root === undefined) throw new Error("no root")
    const { files, folders } = ContainerRoots.places(root, [{ dir: "/data", special: "/volume" }, { dir: "/etc/one", special: "/file" }], (special) => special === "/file")
    assert.deepStrictEqual([...folders], ["/dev", "/proc", "/data"])
    const native = ContainerRoots.of(inputs({ a: image("x1", { os: "illumos" }) })).get("a")
    assert.deepStrictEqual([...native?.shows ?? []], ["/dev", "/proc", "/usr", "/lib", "/sbin", "/platform"])
    assert.deepStrictEqual(files.map(({ path, unless }) => [path, unless]), [["/etc/one", ["/etc/one"]]])
  })

  it("follow the links of the image", () => {
    const linked = { a: image("x1", { places: new Map([["/var/run/x", "/run/x"]]) }), b: image("x2", { places: new Map([["/var/run/x", "/run/x"]]) }) }
    assert.strictEqual(ContainerRoots.place(inputs(linked), "a", "/var/run/x/"), "/var/reddwarf-roots/a/run/x")
    assert.strictEqual(ContainerRoots.place(inputs(linked), "b", "/var/run/x"), "/var/reddwarf-roots/b/run/x")
  })

  it("are of one system", () => {
    assert.strictEqual(ContainerRoots.conflict(inputs(three)), undefined)
    assert.deepInclude(ContainerRoots.conflict(inputs({ ...three, i: image("x3", { os: "illumos" }) })), { container: "i" })
  })

  it("have the files of the network but where a volume is", () => {
    const names = { addresses: ["10.0.0.2"], clusterDomain: "cluster.local", dns: { nameservers: ["10.0.0.10"], searches: ["svc"], options: ["ndots:5", "rotate"] } }
    const files = ContainerRoots.files(podOf([{ name: "a" }]), names, [])
    assert.deepStrictEqual(files.map(({ path }) => path), ["/etc/hosts", "/etc/resolv.conf", "/etc/hostname"])
    assert.strictEqual(files[1]?.content, "nameserver 10.0.0.10\nsearch svc\noptions ndots:5 rotate\n")
    const searches = Array.from({ length: 32 }, (_, index) => `n${index}.svc.cluster.local`)
    const odd = { nameservers: ["10.0.0.10", "not an address"], searches: [...searches, "no domain!"], options: ["ndots:5", "No_Option"] }
    assert.strictEqual(
      ContainerRoots.files(podOf([{ name: "a" }]), { ...names, dns: odd }, [])[1]?.content,
      `nameserver 10.0.0.10\nsearch ${searches.join(" ")}\noptions ndots:5\n`,
      "what cannot be written does not take the rest with it"
    )
    assert.deepStrictEqual(ContainerRoots.files(podOf([{ name: "a" }]), names, [{ dir: "/etc/resolv.conf" }]).map(({ path }) => path), ["/etc/hosts", "/etc/hostname"])
  })
})

describe("a path in an image", () => {
  it.scoped("is followed as its processes would", () =>
    Effect.gen(function*() {
      const root = yield* folder
      mkdirSync(join(root, "usr/bin"), { recursive: true })
      writeFileSync(join(root, "usr/bin/sh"), "", { mode: 0o755 })
      symlinkSync("usr/bin", join(root, "bin"))
      symlinkSync("/run", join(root, "up"))
      symlinkSync("../../../../etc", join(root, "out"))
      symlinkSync("round", join(root, "round"))
      assert.deepStrictEqual(
        ["/bin/sh", "/up/x/y", "/out/passwd", "/round/x", "/a/../b", "/"].map((path) => imagePath.resolve(root, path)),
        ["/usr/bin/sh", "/run/x/y", "/etc/passwd", undefined, "/b", "/"]
      )
      assert.deepStrictEqual(["/bin/sh", "/up", "/round", "/usr"].map((path) => imagePath.isProgram(root, path)), [true, false, false, false])
    }))
})

const run = (place: string, entry: Partial<containerEntry.Entry>, env: NodeJS.ProcessEnv = {}) => {
  const script = containerEntry.script({ workingDirectory: "/", env: [], argv: ["/bin/sh", "-c", "pwd"], ...entry })
  const { status, stderr, stdout } = spawnSync("/bin/sh", ["-c", script], { cwd: place, encoding: "utf8", env: { PATH: "/usr/bin:/bin", ...env } })
  return { status, stdout, stderr }
}

describe("the script that becomes a container's process", () => {
  it.scoped("makes the directory, sets variables of any name, and keeps words as they are", () =>
    Effect.gen(function*() {
      const place = yield* folder
      const env = [["A.b", "it's $HOME"], ["_", "x"]] as const
      const done = run(place, { workingDirectory: "/made/here", env, argv: ["/bin/sh", "-c", "pwd; printf '<%s>' \"$@\"", "sh", "a b", "", "'\"$x"] })
      assert.strictEqual(done.stdout, `${place}/made/here\n<a b><><'"$x>`)
      assert.include(run(place, { env, argv: ["env"] }).stdout.split("\n"), "A.b=it's $HOME")
    }))

  it.scoped("stays on the machine's programs where no root can be entered", () =>
    Effect.gen(function*() {
      const place = yield* folder
      mkdirSync(join(place, "var/roots/a"), { recursive: true })
      assert.strictEqual(run(place, { root: { path: "/var/roots/a" }, workingDirectory: "/work" }).stdout, `${place}/var/roots/a/work\n`)
      assert.strictEqual(run(place, { root: { path: "/var/roots/absent" } }).status, 126)
    }))

  it.scoped.skipIf(!isRoot || !existsSync("/usr/bin/perl"))("sets user and groups, and says what is missing (skipped unless run as root with perl)", () =>
    Effect.gen(function*() {
      const place = yield* folder
      chmodSync(place, 0o755)
      const user = { uid: 1234, gid: 1235, groups: [7, 9] }
      assert.strictEqual(run(place, { user, workingDirectory: "/w", argv: ["sh", "-c", "id -u; id -G; pwd"] }).stdout, `1234\n1235 7 9\n${place}/w\n`)
      assert.strictEqual(run(place, { user: { uid: 5, gid: 6 }, argv: ["id", "-G"] }).stdout, "6\n")
      const absent = run(place, { user, argv: ["no-such-program"] })
      assert.deepStrictEqual([absent.status, absent.stderr], [127, "exec: \"no-such-program\": executable file not found in $PATH\n"])
    }))
})

describe("what a root shows of its zone", () => {
  /** In place of the programs of a zone. What is mounted is only written down. */
  const stubs = (place: string, system: string, mount: string): string => {
    const bin = join(place, "stubs")
    mkdirSync(bin)
    writeFileSync(join(bin, "uname"), `#!/bin/sh\necho ${system}\n`, { mode: 0o755 })
    writeFileSync(join(bin, "mount"), `#!/bin/sh\necho "mount $*" >>${place}/mounts\n${mount}\n`, { mode: 0o755 })
    return bin
  }
  const mounts = (place: string) => readFileSync(join(place, "mounts"), "utf8").replaceAll(place, "").trim().split("\n")
  const binds = (place: string) => ({ path: join(place, "root"), binds: [{ from: join(place, "from"), to: "/to", readOnly: true }, { from: join(place, "words"), to: "/last", make: "file" as const }] })
  /** As in a zone whose root is `/`. */
  const inZone = (place: string, path: string) => {
    mkdirSync(join(place, "root"))
    mkdirSync(join(place, "from"))
    return run("/", { root: binds(place) }, { PATH: `${path}:/usr/bin:/bin` })
  }

  it.scoped("is mounted as the zone's system does it", () =>
    Effect.gen(function*() {
      const native = yield* folder
      inZone(native, stubs(native, "SunOS", ""))
      assert.deepStrictEqual(mounts(native).slice(0, 4), [
        "mount -F lofs -o rw /dev /root/dev",
        "mount -F lofs -o rw /proc /root/proc",
        "mount -F lofs -o ro /from /root/to",
        "mount -F lofs -o rw /words /root/last"
      ])
      const linux = yield* folder
      inZone(linux, stubs(linux, "Linux", "case $2 in rbind) exit 1 ;; esac"))
      assert.deepStrictEqual(mounts(linux).filter((line) => line.endsWith("/to") || line.endsWith("/dev")), [
        "mount -o rbind /dev /root/dev",
        "mount -o bind /dev /root/dev",
        "mount -o rbind /from /root/to",
        "mount -o bind /from /root/to",
        "mount -o remount,bind,ro /root/to"
      ])
      assert.strictEqual(statSync(join(linux, "words")).mode & 0o777, 0o666)
    }))

  it.scoped("ends the start when it cannot be mounted, and is never mounted over a link", () =>
    Effect.gen(function*() {
      const place = yield* folder
      const failed = inZone(place, stubs(place, "Linux", "exit 1"))
      assert.deepStrictEqual([failed.status, failed.stderr], [126, `the zone cannot show its /dev at ${place}/root/dev\n`])
      const linked = yield* folder
      const path = stubs(linked, "Linux", "")
      mkdirSync(join(linked, "root"))
      symlinkSync("/tmp", join(linked, "root/proc"))
      const refused = run("/", { root: { path: join(linked, "root") } }, { PATH: `${path}:/usr/bin:/bin` })
      assert.strictEqual(refused.status, 126)
      assert.include(refused.stderr, "is a symbolic link")
    }))
})

describe("a claimed volume", () => {
  const pod = (fsGroupChangePolicy?: string): CoreV1.Pod => ({ ...podOf([{ name: "a" }]), spec: { containers: [{ name: "a" }], securityContext: { fsGroup: 77, ...(fsGroupChangePolicy === undefined ? {} : { fsGroupChangePolicy }) } } })
  const shown = (path: string) => {
    const { gid, mode } = lstatSync(path)
    return `${gid}:${(mode & 0o7777).toString(8)}`
  }

  it.scoped.skipIf(!isRoot)("goes to the group of the pod with all that is in it (skipped unless run as root)", () =>
    Effect.gen(function*() {
      const volume = yield* folder
      const outside = yield* folder
      mkdirSync(join(volume, "d"), { mode: 0o700 })
      writeFileSync(join(volume, "d/f"), "", { mode: 0o600 })
      writeFileSync(join(outside, "f"), "", { mode: 0o600 })
      symlinkSync(join(outside, "f"), join(volume, "link"))
      execFileSync("mkfifo", [join(volume, "fifo")])
      yield* VolumeOwnership.claim(podOf([{ name: "a" }]), "v", volume, false)
      assert.strictEqual(shown(join(volume, "d/f")), "0:600")
      yield* VolumeOwnership.claim(pod(), "v", volume, false)
      assert.deepStrictEqual(["", "d", "d/f"].map((name) => shown(join(volume, name))), ["77:2770", "77:2770", "77:660"])
      assert.strictEqual(lstatSync(join(volume, "link")).gid, 77)
      assert.strictEqual(shown(join(outside, "f")), "0:600")
      // Right at the top: then it is left alone, if the pod says so.
      chmodSync(join(volume, "d/f"), 0o600)
      yield* VolumeOwnership.claim(pod("OnRootMismatch"), "v", volume, false)
      assert.strictEqual(shown(join(volume, "d/f")), "77:600")
      yield* VolumeOwnership.claim(pod("Always"), "v", volume, true)
      assert.strictEqual(shown(join(volume, "d/f")), "77:640")
    }))
})
