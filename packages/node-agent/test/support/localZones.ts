import { CommandRunner } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { spawn } from "node:child_process"

export const layer = (root: string) => Layer.succeed(CommandRunner.CommandRunner, CommandRunner.CommandRunner.of({
  tempFile: () => Effect.die("unused"),
  run: (line) => Effect.async((resume) => {
    const child = spawn("/bin/sh", ["-c", `${line.args.at(-1)} `], { cwd: root, detached: true, stdio: ["ignore", "pipe", "pipe"], env: { PATH: process.env["PATH"], HOME: "/" } })
    let stdout = "", stderr = ""
    child.stdout.on("data", (b) => stdout += b); child.stderr.on("data", (b) => stderr += b)
    child.on("close", (code) => resume(Effect.succeed({ exitCode: code ?? 0, stdout, stderr })))
  })
}))
