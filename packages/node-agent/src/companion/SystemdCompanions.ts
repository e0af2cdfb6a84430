/** Companions as systemd units `reddwarf-<name>.service`. */
import * as FileSystem from "@effect/platform/FileSystem"
import { CommandLine, CommandRunner } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { createHash } from "node:crypto"
import { join } from "node:path"
import * as durableFile from "../internal/durableFile.js"
import { type Companion, CompanionError, type Owner, validate } from "./Companion.js"
import type { CompanionServices, Found, Owned, Rendered, State, Step } from "./CompanionServices.js"

/** @category models */
export interface Options {
  readonly owner: Owner
  /** Folder of the units. Default `/etc/systemd/system`. */
  readonly folder?: string
}

const prefix = "reddwarf-"
/** The unit of a companion. @category combinators */
export const unitOf = (name: string): string => `${prefix}${name}.service`

const hashOf = (content: string): string => createHash("sha256").update(content).digest("hex")

/** A word of a command: quoted, with the characters escaped that systemd gives a meaning. */
const word = (text: string): string => {
  const escaped = text.replaceAll("%", "%%").replaceAll("$", "$$$$")
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(escaped) ? escaped : `"${escaped.replaceAll(/[\\"]/g, "\\$&")}"`
}
const assignment = (name: string, value: string): string => `"${name}=${value.replaceAll("%", "%%").replaceAll(/[\\"]/g, "\\$&")}"`

const body = ({ name, ownerUid, scope, template }: Companion, owner: Owner): string => {
  const environment = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C", ...template.environment }
  return `# reddwarf-companion: ${name} owner=${owner.clusterId} scope=${scope} uid=${ownerUid ?? "node"}
# reddwarf-managed: true
[Unit]
Description=${template.description.replaceAll("%", "%%")}
After=local-fs.target network.target
StartLimitIntervalSec=30
StartLimitBurst=3

[Service]
Type=exec
ExecStart=${template.command.map(word).join(" ")}
ExecReload=/bin/kill -HUP $MAINPID
${Object.entries(environment).map(([name, value]) => `Environment=${assignment(name, value)}\n`).join("")}${template.user === undefined ? "" : `User=${template.user}\n`}KillMode=mixed
TimeoutStopSec=${template.stopSeconds ?? 60}
Restart=on-failure
RestartSec=1

[Install]
WantedBy=multi-user.target
`
}

/** The companion as a unit; its first line holds the hash of all others. @category constructors */
export const render = (companion: Companion, owner: Owner): Either.Either<Rendered, CompanionError> =>
  Either.map(validate(companion), (valid) => {
    const text = body(valid, owner)
    const content = `# reddwarf-hash: ${hashOf(text)}\n${text}`
    return { content, hash: hashOf(content) }
  })

const lineOf = (content: string, key: string): string | undefined => new RegExp(`^# reddwarf-${key}: (.*)$`, "m").exec(content)?.[1]

/** The fields of a tag line; undefined when the unit is not one of ours. */
const tagOf = (content: string, owner: Owner): Owned | undefined => {
  const [, name, cluster, uid] = /^(\S+) owner=(\S*) scope=\S+ uid=(\S+)$/.exec(lineOf(content, "companion") ?? "") ?? []
  return name === undefined || cluster !== owner.clusterId ? undefined : { name, ownerUid: uid === "node" ? undefined : uid }
}

const systemctl = (...args: ReadonlyArray<string>): CommandLine.CommandLine => ({ ...CommandLine.make("/usr/bin/systemctl", ...args), timeout: "10 seconds" })

const states: Readonly<Record<string, State>> = { active: "online", reloading: "online", inactive: "disabled", failed: "maintenance", activating: "offline", deactivating: "transition" }

/**
 * systemd of this machine.
 *
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<CompanionServices, never, CommandRunner.CommandRunner | FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const runner = yield* CommandRunner.CommandRunner
    const fs = yield* FileSystem.FileSystem
    const folder = options.folder ?? "/etc/systemd/system"
    const failed = (operation: string, companion: string) => (cause: { readonly message: string }) => new CompanionError({ operation, companion, detail: cause.message })
    const run = (operation: string, companion: string, line: CommandLine.CommandLine): Step<string> =>
      runner.run(line).pipe(
        Effect.mapError(failed(operation, companion)),
        Effect.flatMap(({ exitCode, stderr, stdout }) =>
          exitCode === 0 ? Effect.succeed(stdout) : Effect.fail(new CompanionError({ operation, companion, detail: `${CommandLine.format(line)} exits with ${exitCode}: ${stderr.trim().slice(0, 200)}` })))
      )
    const fileOf = (name: string): string => join(folder, unitOf(name))
    const readFile = (name: string): Step<string | undefined> =>
      fs.readFileString(fileOf(name)).pipe(
        Effect.catchTag("SystemError", (error) => error.reason === "NotFound" ? Effect.succeed(undefined) : Effect.fail(error)),
        Effect.mapError(failed("read the unit of", name))
      )
    const show = (name: string): Step<ReadonlyMap<string, string>> =>
      Effect.map(run("read the state of", name, systemctl("show", "-p", "LoadState,ActiveState,UnitFileState,NeedDaemonReload,SubState", "--", unitOf(name))), (text) =>
        new Map(text.split("\n").flatMap((line): ReadonlyArray<readonly [string, string]> => {
          const at = line.indexOf("=")
          return at <= 0 ? [] : [[line.slice(0, at), line.slice(at + 1)]]
        })))

    const find = (name: string): Step<Found> =>
      Effect.gen(function*() {
        const shown = yield* show(name)
        if (shown.get("LoadState") === "masked") return { state: "disabled", fileHash: undefined, recordedHash: undefined, override: "the unit is masked" }
        const content = yield* readFile(name)
        if (content === undefined) return { state: "absent", fileHash: undefined, recordedHash: undefined, override: undefined }
        if (tagOf(content, options.owner)?.name !== name) {
          return yield* new CompanionError({ operation: "find", companion: name, detail: `${fileOf(name)} exists and is not managed by this agent; rename or remove it` })
        }
        const override = lineOf(content, "managed") === "false" ? "its unit says reddwarf-managed: false" : undefined
        const taken = shown.get("LoadState") === "loaded" && shown.get("NeedDaemonReload") !== "yes"
        const text = content.replace(/^# reddwarf-hash: .*\n/, "")
        const recorded = lineOf(content, "hash")
        const whole = taken && recorded === hashOf(text) ? hashOf(content) : undefined
        return { state: states[shown.get("ActiveState") ?? ""] ?? "transition", fileHash: hashOf(content), recordedHash: whole, override }
      })

    const isThere = (path: string): Effect.Effect<boolean> => Effect.orElseSucceed(fs.exists(path), () => false)

    return {
      render: (companion) => render(companion, options.owner),
      refresh: Effect.void,
      find,
      install: ({ name }, { content }) =>
        Effect.gen(function*() {
          yield* Effect.mapError(Effect.provideService(durableFile.write(fileOf(name), content), FileSystem.FileSystem, fs), failed("write the unit of", name))
          // Units are no secret, and tools that run as somebody else read them.
          yield* Effect.mapError(fs.chmod(fileOf(name), 0o644), failed("write the unit of", name))
          if (yield* isThere("/usr/bin/systemd-analyze")) {
            yield* run("validate", name, { ...CommandLine.make("/usr/bin/systemd-analyze", "verify", fileOf(name)), timeout: "10 seconds" })
          }
          yield* run("take over", name, systemctl("daemon-reload"))
        }),
      enable: (name) => Effect.asVoid(run("enable", name, systemctl("enable", "--now", "--no-block", "--", unitOf(name)))),
      clear: (name) => Effect.zipRight(run("clear", name, systemctl("reset-failed", "--", unitOf(name))), Effect.asVoid(run("start", name, systemctl("start", "--no-block", "--", unitOf(name))))),
      restart: (name) => Effect.asVoid(run("restart", name, systemctl("restart", "--no-block", "--", unitOf(name)))),
      explain: (name) => Effect.map(show(name), (shown) => `${shown.get("ActiveState") ?? "unknown"} (${shown.get("SubState") ?? "unknown"})`),
      remove: (name) =>
        Effect.gen(function*() {
          yield* run("disable", name, systemctl("disable", "--now", "--", unitOf(name)))
          yield* Effect.mapError(fs.remove(fileOf(name), { force: true }), failed("remove the unit of", name))
          yield* run("take over", name, systemctl("daemon-reload"))
        }),
      owned: Effect.gen(function*() {
        const files = yield* Effect.orElseSucceed(fs.readDirectory(folder), () => [])
        const found: Array<Owned> = []
        for (const file of files) {
          const [, name] = /^reddwarf-([a-z0-9-]+)\.service$/.exec(file) ?? []
          if (name === undefined) continue
          const tag = tagOf((yield* readFile(name)) ?? "", options.owner)
          if (tag?.name === name) found.push(tag)
        }
        return found
      })
    }
  })
