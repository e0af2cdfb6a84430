/**
 * Companions: services of the host without which pods do not work, such as the health endpoint of the node. What one is, in words that both
 * service managers understand.
 */
import * as Either from "effect/Either"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** A companion is not what it should be, and this is why. @category errors */
export class CompanionError extends Schema.TaggedError<CompanionError>()("CompanionError", {
  operation: Schema.String,
  companion: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `${this.operation} companion ${this.companion}: ${this.detail}`
  }
}

/** How a companion runs. @category models */
export interface Template {
  readonly description: string
  /** The program with its arguments; absolute path first. An empty word is a value that was forgotten. */
  readonly command: ReadonlyArray<string>
  /** Variables of its environment; `PATH` and `LC_ALL` are fixed unless given. */
  readonly environment?: Readonly<Record<string, string>>
  /** User it runs as. Default that of the service manager, root. */
  readonly user?: string
  /** How long its stop may take, in seconds. Default 60. */
  readonly stopSeconds?: number
}

/**
 * One companion.
 *
 * @category models
 */
export interface Companion {
  /** Lower case words joined by dashes; unique on the host. */
  readonly name: string
  readonly scope: "node" | "pod"
  /** Pod it belongs to; absent for the node's own. */
  readonly ownerUid?: string
  readonly template: Template
  /** Whether it works, asked only while it runs. Default: running is working. */
  readonly healthTest?: Effect.Effect<boolean>
  /** Whether a change of its definition restarts it. Else the change waits for its next start. */
  readonly restartOnChange: boolean
  /** Critical ones are repaired first. */
  readonly critical: boolean
}

/** Whose companions these are: nothing that carries another owner is touched. @category models */
export interface Owner {
  readonly clusterId: string
}

const name = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/
const variable = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Why a companion cannot be written down; right when it can. Nothing is written for one that cannot. @category combinators */
export const validate = (companion: Companion): Either.Either<Companion, CompanionError> => {
  const { command, description, environment = {} } = companion.template
  const [program = ""] = command
  const problem = !name.test(companion.name) || companion.name.length > 63
    ? "its name must be lower case words joined by dashes, at most 63 characters"
    : companion.scope === "pod" && (companion.ownerUid ?? "") === ""
    ? "a companion of a pod needs the uid of the pod"
    : !program.startsWith("/")
    ? "the path of its program is empty or not absolute"
    : command.includes("")
    ? `word ${command.indexOf("")} of its command is empty: a value that it needs is not set`
    : description === ""
    ? "its description is empty"
    : Object.keys(environment).find((key) => !variable.test(key)) !== undefined
    ? "its environment has a name that is none"
    : Object.entries(environment).find(([, value]) => value === "") !== undefined
    ? "a variable of its environment is empty: a value that it needs is not set"
    : /\p{Cc}/u.test([...command, description, ...Object.values(environment)].join(""))
    ? "it holds control characters"
    : undefined
  return problem === undefined ? Either.right(companion) : Either.left(new CompanionError({ operation: "render", companion: companion.name, detail: problem }))
}
