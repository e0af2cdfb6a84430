/**
 * Commands in containers, with a stand-in for the two tar commands of `kubectl cp` where the zone has no tar: the archive is then made or
 * read here, and the files are reached by the zone's own shell, inside the zone.
 */
import { type CommandRunner, Zlogin } from "@reddwarf/runtime-illumos"
import type { RemoteCommand } from "@reddwarf/streaming"
import * as Effect from "effect/Effect"
import { posix } from "node:path"
import * as ContainerExec from "./ContainerExec.js"
import type { ContainerTarget } from "./ContainerTarget.js"
import * as containerEntry from "../internal/containerEntry.js"
import * as tarCommand from "../internal/tarCommand.js"

const lookForTar = `PATH=\${1:-$PATH} command -v tar >/dev/null 2>&1 && exit 0
exit 1`

/** Whether the container finds a tar of its own, and if not, whether it has a shell. Not knowing means yes: then its own shell says what is wrong. */
const toolsOf = (runner: CommandRunner.CommandRunner["Type"], { spec, zone }: ContainerTarget): Effect.Effect<"tar" | "shell" | "nothing"> => {
  const { root } = spec
  const look = ["/bin/sh", "-c", lookForTar, "sh", spec.env.findLast(({ name }) => name === "PATH")?.value ?? ""]
  const words = root === undefined ? look : ["/bin/sh", "-c", containerEntry.script({ root, workingDirectory: "/", env: [], argv: look })]
  return Zlogin.run(runner, zone, words, { timeout: "10 seconds", failsafe: true }).pipe(
    Effect.map(({ exitCode }) => exitCode === 0 ? "tar" as const : exitCode === 1 || root === undefined ? "shell" : "nothing"),
    Effect.orElseSucceed(() => "tar" as const)
  )
}

/** Loaded when it is needed: few containers ever have their files copied without a tar of their own. */
const tarArchive = Effect.promise(() => import("../internal/tarArchive.js"))

/**
 * Runs the command, or stands in for it.
 *
 * @category constructors
 */
export const serve = (
  runner: CommandRunner.CommandRunner["Type"],
  request: ContainerExec.Request,
  channels: RemoteCommand.Channels
): Effect.Effect<RemoteCommand.Outcome> => {
  const wanted = request.options.tty ? undefined : tarCommand.parse(request.argv)
  if (wanted === undefined) return ContainerExec.run(runner, request, channels)
  const { spec, zone } = request.target
  const inContainer = (path: string) => posix.resolve(spec.workingDirectory, path)
  return Effect.flatMap(toolsOf(runner, request.target), (found) => {
    if (found === "tar") return ContainerExec.run(runner, request, channels)
    const place = { runner, zone, root: spec.root, shell: found === "shell" ? "root" : "zone" } as const
    return Effect.flatMap(tarArchive, ({ create, extract }) =>
      wanted._tag === "Create"
        ? create(place, inContainer(wanted.path), wanted.path, channels)
        : extract(place, inContainer(wanted.directory), channels))
  })
}
