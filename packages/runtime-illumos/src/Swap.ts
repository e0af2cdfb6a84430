/** swap: how much of the virtual memory of a host is used, and on which devices it pages. */
import * as CommandLine from "./CommandLine.js"
import { lines } from "./internal/parsable.js"

const program = "/usr/sbin/swap"

/** Virtual memory of the whole host, in bytes. @category models */
export interface Summary {
  readonly allocated: number
  readonly reserved: number
  /** `allocated` and `reserved` together. */
  readonly used: number
  /** What processes may still ask for; when it is gone, they get ENOMEM. */
  readonly available: number
}

/** One device or file to page to. @category models */
export interface Device {
  readonly path: string
  /** Bytes. */
  readonly size: number
  readonly free: number
}

/** Virtual memory in one line. @category constructors */
export const summary: CommandLine.CommandLine = CommandLine.make(program, "-s")

/** One line per device. A host without any says so and ends with status 1. @category constructors */
export const devices: CommandLine.CommandLine = CommandLine.make(program, "-l")

/** Reads the output of {@link summary}; `undefined` when it has another form. @category combinators */
export const parseSummary = (text: string): Summary | undefined => {
  const match = /^total: (\d+)k bytes allocated \+ (\d+)k reserved = (\d+)k used, (\d+)k available$/m.exec(text)
  if (match === null) return undefined
  const [allocated = 0, reserved = 0, used = 0, available = 0] = match.slice(1).map((kilobytes) => Number(kilobytes) * 1024)
  return { allocated, reserved, used, available }
}

const block = 512

/** Reads the output of {@link devices}. The heading and lines of another form are passed over. @category combinators */
export const parseDevices = (text: string): ReadonlyArray<Device> =>
  lines(text).flatMap((line): ReadonlyArray<Device> => {
    const match = /^(\/\S*|\S+)\s+(?:\d+,\d+|-)\s+(\d+)\s+(\d+)\s+(\d+)(?:\s+\S+)?$/.exec(line)
    const [, path = "", , size = "", free = ""] = match ?? []
    return match === null ? [] : [{ path, size: Number(size) * block, free: Number(free) * block }]
  })
