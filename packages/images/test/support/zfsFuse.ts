/** A ZFS of the test's own: the daemon that the tests of storage-zfs start, in its private mount namespace. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { CommandRunner } from "@reddwarf/runtime-illumos"
import { Context, Data, Effect, Layer } from "effect"
import { spawn } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"

const onPath = (program: string): boolean =>
  (process.env["PATH"] ?? "").split(":").concat("/usr/sbin", "/sbin", "/usr/bin").some((directory) => existsSync(join(directory, program)))

/** Why these tests cannot run here; `undefined` when they can. `REDDWARF_ZFS_TEST=off` switches them off. */
export const missing: string | undefined = process.env["REDDWARF_ZFS_TEST"] === "off"
  ? "REDDWARF_ZFS_TEST=off"
  : process.getuid?.() !== 0
  ? "not root"
  : !existsSync("/dev/fuse")
  ? "no /dev/fuse"
  : existsSync("/sys/module/zfs")
  ? "the zfs kernel module is in use"
  : ["zfs-fuse", "zfs", "zpool", "unshare", "nsenter"].find((program) => !onPath(program))?.concat(" is not installed")

/** The namespace's root as this process sees it, and the folder in it for mountpoints. */
export class ZfsNamespace extends Context.Tag("test/ZfsNamespace")<ZfsNamespace, { readonly root: string; readonly mountpoints: string }>() {}

class DaemonNotStarted extends Data.TaggedError("DaemonNotStarted")<{ readonly message: string }> {}

interface Daemon {
  readonly pid: string
  readonly mountpoints: string
  readonly stop: Effect.Effect<void>
}

const daemon = Effect.acquireRelease(
  Effect.async<Daemon, DaemonNotStarted>((resume) => {
    const work = mkdtempSync(join(tmpdir(), "reddwarf-zfs-"))
    const script = fileURLToPath(new URL("../../../storage-zfs/test/zfs-fuse.sh", import.meta.url))
    const child = spawn(script, [work], { stdio: ["pipe", "pipe", "pipe"], env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" } })
    let errors = ""
    child.stderr.on("data", (chunk) => {
      errors += String(chunk)
    })
    child.stdout.once("data", (chunk) => {
      const [pid = "", mountpoints = ""] = String(chunk).trim().split(" ")
      const stop = Effect.async<void>((done) => {
        child.once("exit", () => {
          rmSync(work, { recursive: true, force: true })
          done(Effect.void)
        })
        child.stdin.end()
      })
      resume(Effect.succeed({ pid, mountpoints, stop }))
    })
    child.once("exit", (code) => resume(new DaemonNotStarted({ message: `zfs-fuse did not start (${code}): ${errors}` })))
  }),
  ({ stop }) => stop
)

/** A runner whose commands talk to that ZFS, with the empty pool `tpool`. */
export const layer = Layer.scopedContext(
  Effect.gen(function*() {
    const runner = yield* CommandRunner.CommandRunner
    const { mountpoints, pid } = yield* daemon
    const inside = (line: Parameters<typeof runner.run>[0]) => ({
      ...line,
      program: "/usr/bin/nsenter",
      args: [`--mount=/proc/${pid}/ns/mnt`, "--", basename(line.program), ...line.args]
    })
    return Context.make(ZfsNamespace, { root: `/proc/${pid}/root`, mountpoints }).pipe(Context.add(CommandRunner.CommandRunner, {
      ...runner,
      run: (line) => runner.run(inside(line)),
      start: (line, options) => runner.start(inside(line), options)
    }))
  })
).pipe(Layer.provide(CommandRunner.layer), Layer.provideMerge(NodeContext.layer))
