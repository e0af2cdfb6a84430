/** Tar archives byte by byte, honest or not. */
import { Buffer } from "node:buffer"

export interface Member {
  readonly path: string
  readonly type?: string
  readonly content?: Uint8Array | string
  readonly target?: string
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
  readonly mtime?: number
  /** Records of an extended header before the entry. */
  readonly pax?: Readonly<Record<string, Uint8Array | string>>
  /** What the header says in place of the content's true size. */
  readonly size?: number
}

const octal = (value: number, length: number): string => `${value.toString(8).padStart(length - 1, "0")}\0`

const pad = (bytes: Uint8Array): Buffer => Buffer.concat([bytes, Buffer.alloc((512 - bytes.length % 512) % 512)])

const header = (member: Member, size: number): Buffer => {
  const block = Buffer.alloc(512)
  block.write(member.path, 0, 100, "utf8")
  block.write(octal(member.mode ?? (member.type === "5" ? 0o755 : 0o644), 8), 100, "latin1")
  block.write(octal(member.uid ?? 0, 8), 108, "latin1")
  block.write(octal(member.gid ?? 0, 8), 116, "latin1")
  block.write(octal(member.size ?? size, 12), 124, "latin1")
  block.write(octal(member.mtime ?? 1_700_000_000, 12), 136, "latin1")
  block.write("        ", 148, "latin1")
  block.write(member.type ?? "0", 156, "latin1")
  block.write(member.target ?? "", 157, 100, "utf8")
  block.write("ustar\x0000", 257, "latin1")
  let sum = 0
  for (const byte of block) sum += byte
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1")
  return block
}

const record = (key: string, value: Uint8Array | string): Buffer => {
  const body = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from("\n")])
  let length = body.length
  while (String(length).length + body.length !== length) length = String(length).length + body.length
  return Buffer.concat([Buffer.from(String(length)), body])
}

const member = (entry: Member): Buffer => {
  const content = Buffer.from(entry.content ?? "")
  const long = Buffer.byteLength(entry.path) > 100 ? { path: entry.path } : {}
  const longTarget = Buffer.byteLength(entry.target ?? "") > 100 ? { linkpath: entry.target ?? "" } : {}
  const pax = { ...long, ...longTarget, ...entry.pax }
  const records = Buffer.concat(Object.entries(pax).map(([key, value]) => record(key, value)))
  return Buffer.concat([
    ...(records.length === 0 ? [] : [header({ path: "pax", type: "x" }, records.length), pad(records)]),
    header(entry, content.length),
    pad(content)
  ])
}

/** An archive of the members in this order, with its end marker. */
export const tar = (members: ReadonlyArray<Member>): Buffer => Buffer.concat([...members.map(member), Buffer.alloc(1024)])

export const file = (path: string, content: string, more: Partial<Member> = {}): Member => ({ path, content, ...more })
export const folder = (path: string, more: Partial<Member> = {}): Member => ({ path, type: "5", ...more })
export const symlink = (path: string, target: string, more: Partial<Member> = {}): Member => ({ path, type: "2", target, ...more })
export const hardlink = (path: string, target: string, more: Partial<Member> = {}): Member => ({ path, type: "1", target, ...more })
