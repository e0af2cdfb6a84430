/** The two messages of `grpc.health.v1.Health/Check` and the frame around them. Pure. */

const varint = (value: number): ReadonlyArray<number> => value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]

/** A message with its prefix: not compressed, length, content. */
const framed = (message: Buffer): Buffer => {
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

/** `HealthCheckRequest { service = 1 }`. */
export const request = (service: string): Buffer => {
  const name = Buffer.from(service, "utf8")
  return framed(name.length === 0 ? name : Buffer.concat([Buffer.from([10, ...varint(name.length)]), name]))
}

const names = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"]

/** Reads a varint; undefined at the end of the message. Values beyond 32 bits lose their upper part, which no status has. */
const readVarint = (bytes: Buffer, from: number): { readonly value: number; readonly next: number } | undefined => {
  let value = 0
  for (let at = from; at < bytes.length && at < from + 10; at += 1) {
    const byte = bytes[at] ?? 0
    if (at - from < 5) value = (value | ((byte & 127) << (7 * (at - from)))) >>> 0
    if (byte < 128) return { value, next: at + 1 }
  }
  return undefined
}

/** `HealthCheckResponse { status = 1 }` as its name; undefined when it is no such message. */
export const statusOf = (body: Buffer): string | undefined => {
  if (body.length < 5 || body[0] !== 0) return undefined
  const length = body.readUInt32BE(1)
  if (body.length < 5 + length) return undefined
  const message = body.subarray(5, 5 + length)
  let status = 0
  let at = 0
  while (at < message.length) {
    const tag = readVarint(message, at)
    if (tag === undefined) return undefined
    const wire = tag.value & 7
    const head = wire === 0 || wire === 2 ? readVarint(message, tag.next) : undefined
    if (wire === 0 && head !== undefined) {
      if (tag.value >>> 3 === 1) status = head.value
      at = head.next
    } else if (wire === 2 && head !== undefined) at = head.next + head.value
    else if (wire === 1) at = tag.next + 8
    else if (wire === 5) at = tag.next + 4
    else return undefined
  }
  return at === message.length ? names[status] ?? String(status) : undefined
}

const codes = [
  "OK",
  "Canceled",
  "Unknown",
  "InvalidArgument",
  "DeadlineExceeded",
  "NotFound",
  "AlreadyExists",
  "PermissionDenied",
  "ResourceExhausted",
  "FailedPrecondition",
  "Aborted",
  "OutOfRange",
  "Unimplemented",
  "Internal",
  "Unavailable",
  "DataLoss",
  "Unauthenticated"
]

/** The name of a status code. */
export const codeName = (code: number): string => codes[code] ?? `Code(${code})`
