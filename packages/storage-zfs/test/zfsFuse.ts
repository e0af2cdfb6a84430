import * as NodeContext from "@effect/platform-node/NodeContext"
import { type CommandLine, CommandRunner } from "@reddwarf/runtime-illumos"
import { Context, Data, Effect, Layer } from "effect"
import { spawn } from "node:child_process"
import { accessSync, existsSync, mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"

const onPath = (program: string): boolean =>
  (process.env["PATH"] ?? "").split(":").concat("/usr/sbin", "/sbin").some((directory) => existsSync(join(directory, program)))

const isDevice = (path: string): boolean => {
  try {
    accessSync(path)
    return statSync(path).isCharacterDevice()
  } catch {
    return false
  }
}

/** Why the tests against real ZFS cannot run here; `undefined` when they can. `REDDWARF_ZFS_TEST=off` switches them off. */
export const missing: string | undefined = process.env["REDDWARF_ZFS_TEST"] === "off"
  ? "REDDWARF_ZFS_TEST=off"
  : process.getuid?.() !== 0
  ? "not root"
  : !isDevice("/dev/fuse")
  ? "no /dev/fuse"
  : existsSync("/sys/module/zfs")
  ? "the zfs kernel module is in use"
  : ["zfs-fuse", "zfs", "zpool", "unshare", "nsenter"].find((program) => !onPath(program))?.concat(" is not installed")

/** A folder in which the pool's file systems may be mounted. It is visible only inside the daemon's mount namespace. */
export class ZfsRoot extends Context.Tag("test/ZfsRoot")<ZfsRoot, string>() {}

class DaemonNotStarted extends Data.TaggedError("DaemonNotStarted")<{ readonly message: string }> {}

const daemon = Effect.acquireRelease(
  Effect.async<{ readonly pid: string; readonly root: string; readonly stop: Effect.Effect<void> }, DaemonNotStarted>((resume) => {
    const work = mkdtempSync(join(tmpdir(), "reddwarf-zfs-"))
    const child = spawn(fileURLToPath(new URL("zfs-fuse.sh", import.meta.url)), [work], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" }
    })
    let errors = ""
    child.stderr.on("data", (chunk) => {
      errors += String(chunk)
    })
    child.stdout.once("data", (chunk) => {
      const [pid = "", root = ""] = String(chunk).trim().split(" ")
      const stop = Effect.async<void>((done) => {
        child.once("exit", () => {
          rmSync(work, { recursive: true, force: true })
          done(Effect.void)
        })
        child.stdin.end()
      })
      resume(Effect.succeed({ pid, root, stop }))
    })
    child.once("exit", (code) => {
      resume(Effect.fail(new DaemonNotStarted({ message: `zfs-fuse did not start (${code}): ${errors}` })))
    })
  }),
  ({ stop }) => stop
)

/** A runner whose commands talk to a ZFS daemon of their own, with the empty pool `tpool`. */
export const layer = Layer.scopedContext(
  Effect.gen(function*() {
    const runner = yield* CommandRunner.CommandRunner
    const { pid, root } = yield* daemon
    const inside = (line: CommandLine.CommandLine) => ({
      ...line,
      program: "/usr/bin/nsenter",
      args: [`--mount=/proc/${pid}/ns/mnt`, "--", basename(line.program), ...line.args]
    })
    return Context.make(ZfsRoot, root).pipe(Context.add(CommandRunner.CommandRunner, {
      ...runner,
      run: (line) => runner.run(inside(line)),
      start: (line, options) => runner.start(inside(line), options)
    }))
  })
).pipe(Layer.provide(CommandRunner.layer), Layer.provide(NodeContext.layer))
