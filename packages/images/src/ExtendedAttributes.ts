/**
 * Extended attributes of files, which Node cannot set: by the host's own tools where it has them.
 *
 * On illumos they are files in a hidden folder of each file, reached by runat(1); elsewhere setfattr(1) sets them. What a host cannot keep is
 * counted, not refused: images carry attributes (such as file capabilities of Linux) that mean nothing to most hosts.
 */
import { CommandLine, CommandRunner } from "@reddwarf/runtime-illumos"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** An attribute of a file. @category models */
export interface FileAttribute {
  /** Below the root, each character one byte. */
  readonly path: string
  readonly name: string
  readonly value: Uint8Array
}

/**
 * Sets extended attributes.
 *
 * @category services
 */
export class ExtendedAttributes extends Context.Tag("@reddwarf/images/ExtendedAttributes")<ExtendedAttributes, {
  /** Sets what can be set on the files below a folder, and tells how many attributes could not be kept. */
  readonly keep: (root: string, attributes: ReadonlyArray<FileAttribute>) => Effect.Effect<number>
}>() {}

/** Each costs a process. */
const mostCommands = 2000
/** What surely fits into the arguments of a program. */
const largestValue = 4096
const plainName = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}$/

const octal = (value: Uint8Array): string => [...value].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("")

/** `runat FILE "printf VALUE > NAME"`. The command is one argument, which runat gives to the shell. @category constructors */
export const runat = (path: string, attribute: FileAttribute): CommandLine.CommandLine =>
  CommandLine.make("/usr/bin/runat", path, `printf '${octal(attribute.value)}' > ${attribute.name}`)

/** `setfattr -h -n NAME -v VALUE FILE`, the value in hexadecimal. @category constructors */
export const setfattr = (path: string, attribute: FileAttribute): CommandLine.CommandLine =>
  CommandLine.make("/usr/bin/setfattr", "-h", "-n", attribute.name, "-v", `0x${Buffer.from(attribute.value).toString("hex")}`, path)

/** The path as the text that an argument of a program can be; nothing when its bytes are no text. */
const argumentOf = (root: string, path: string): string | undefined => {
  const bytes = Buffer.from(path, "latin1")
  const text = bytes.toString("utf8")
  return Buffer.from(text, "utf8").equals(bytes) ? `${root}/${text}` : undefined
}

/**
 * By the tool of the platform this process runs on. When the first attribute shows that there is no such tool, the others are not tried.
 *
 * @category layers
 */
export const layer: Layer.Layer<ExtendedAttributes, never, CommandRunner.CommandRunner> = Layer.effect(
  ExtendedAttributes,
  Effect.gen(function*() {
    const runner = yield* CommandRunner.CommandRunner
    const command = process.platform === "sunos" ? runat : setfattr
    return ExtendedAttributes.of({
      keep: Effect.fnUntraced(function*(root, attributes) {
        let lost = 0
        for (const [index, attribute] of attributes.entries()) {
          const path = argumentOf(root, attribute.path)
          if (index >= mostCommands || path === undefined || !plainName.test(attribute.name) || attribute.value.length > largestValue) {
            lost += 1
            continue
          }
          const outcome = yield* Effect.either(runner.run(command(path, attribute)))
          if (outcome._tag === "Left" && outcome.left.reason === "NotFound") return lost + attributes.length - index
          if (outcome._tag === "Left" || outcome.right.exitCode !== 0) lost += 1
        }
        return lost
      })
    })
  })
)

/** Keeps none. @category layers */
export const layerNone: Layer.Layer<ExtendedAttributes> = Layer.succeed(
  ExtendedAttributes,
  ExtendedAttributes.of({ keep: (_root, attributes) => Effect.succeed(attributes.length) })
)
