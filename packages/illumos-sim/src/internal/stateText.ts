/**
 * The text of a host's state, in pieces. Almost all of it is the configurations of zones, which are replaced and never changed: the text of
 * each is made once. Plain synchronous functions, called from `StateFile` only, after every command.
 */
import * as fs from "node:fs"
import type { HostState, Zone, ZoneConfiguration } from "../HostState.js"

const texts = new WeakMap<ZoneConfiguration, string>()

/** What has a text must stay as it is: a command that would change it is found out at once. */
const frozen = <A extends object>(value: A): A => {
  for (const inner of Object.values(value)) if (typeof inner === "object" && inner !== null) frozen(inner)
  return Object.freeze(value)
}

const textOf = (configuration: ZoneConfiguration): string => {
  const known = texts.get(configuration)
  if (known !== undefined) return known
  const text = JSON.stringify(configuration)
  texts.set(frozen(configuration), text)
  return text
}

/** An object's text without its end, for a further member. */
const open = (value: object): string => JSON.stringify(value).slice(0, -1)

const zoneText = ({ configuration, kernel, ...zone }: Zone): ReadonlyArray<string> => {
  const head = [open(zone), ",\"configuration\":", textOf(configuration)]
  if (kernel === undefined) return [...head, "}"]
  const { snapshot, ...running } = kernel
  return [...head, ",\"kernel\":", open(running), ",\"snapshot\":", textOf(snapshot), "}}"]
}

/** The pieces: together they are JSON of the state. */
export const pieces = ({ zones, ...host }: HostState): ReadonlyArray<string> => [
  open(host),
  ",\"zones\":[",
  ...zones.flatMap((zone, index) => index === 0 ? zoneText(zone) : [",", ...zoneText(zone)]),
  "]}"
]

/** Whether they are pieces of the same text, however it is cut. */
export const isSame = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): boolean =>
  a.length === b.length ? a.every((piece, index) => piece === b[index]) : a.join("") === b.join("")

/** Outside of the heap, and used again: the whole text as one string would be what the engine has to clear away most of all. */
let bytes = Buffer.allocUnsafe(64 * 1024)

/** Writes them one after the other. */
export const write = (descriptor: number, written: ReadonlyArray<string>): void => {
  let length = 0
  for (const piece of written) {
    const most = length + piece.length * 3
    if (most > bytes.length) bytes = Buffer.concat([bytes.subarray(0, length)], most * 2)
    length += bytes.write(piece, length)
  }
  for (let at = 0; at < length;) at += fs.writeSync(descriptor, bytes, at, length - at)
}
