/**
 * The least that a server of objects can be on this platform, to measure the real one against: TLS, JSON and one durable transaction for
 * all writes that wait. It has no authentication, defaults, validation, watches or lists, and knows three requests: create, get and
 * merge-patch.
 */
import { randomUUID } from "node:crypto"
import { readFileSync } from "node:fs"
import type { IncomingMessage, ServerResponse } from "node:http"
import { createServer } from "node:https"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { parseArgs } from "node:util"

interface Stored {
  readonly metadata: Readonly<Record<string, unknown>> & { readonly name: string }
}

interface Write {
  readonly key: string
  readonly object: Stored
  readonly status: number
  readonly response: ServerResponse
}

const { values } = parseArgs({ options: { port: { type: "string" }, data: { type: "string" }, cert: { type: "string" }, key: { type: "string" }, ca: { type: "string" } } })
const { ca = "", cert = "", data = "", key = "", port = "" } = values

const database = new DatabaseSync(join(data, "bare.db"))
database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE object (key TEXT PRIMARY KEY, revision INTEGER, value BLOB) WITHOUT ROWID")
const insert = database.prepare("INSERT OR REPLACE INTO object VALUES (?, ?, ?)")
const objects = new Map<string, Buffer>()
let revision = 0
let waiting: Array<Write> = []

const answer = (response: ServerResponse, status: number, body: Buffer): void => {
  response.writeHead(status, { "content-type": "application/json", "content-length": body.length })
  response.end(body)
}

/** All writes that wait, in one transaction; whoever comes meanwhile waits for the next one. */
const flush = (): void => {
  const writes = waiting
  waiting = []
  database.exec("BEGIN IMMEDIATE")
  const encoded = writes.map(({ key: at, object }) => {
    const value = Buffer.from(JSON.stringify({ ...object, metadata: { ...object.metadata, resourceVersion: String(++revision) } }))
    insert.run(at, revision, value)
    return value
  })
  database.exec("COMMIT")
  for (const [i, { key: at, response, status }] of writes.entries()) {
    const value = encoded[i]
    if (value === undefined) continue
    objects.set(at, value)
    answer(response, status, value)
  }
}

const write = (entry: Write): void => {
  if (waiting.push(entry) === 1) setImmediate(flush)
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value)

const merge = (target: unknown, change: unknown): unknown => {
  if (!isRecord(change)) return change
  const result = isRecord(target) ? { ...target } : {}
  for (const [field, value] of Object.entries(change)) {
    if (value === null) Reflect.deleteProperty(result, field)
    else result[field] = merge(result[field], value)
  }
  return result
}

const handle = (request: IncomingMessage, response: ServerResponse, body: Buffer): void => {
  const path = request.url ?? ""
  const stored = objects.get(path)
  if (request.method === "GET") return answer(response, stored === undefined ? 404 : 200, stored ?? Buffer.from("{}"))
  const sent = JSON.parse(body.toString("utf8")) as Stored
  if (request.method === "POST") {
    const at = `${path}/${sent.metadata.name}`
    if (objects.has(at)) return answer(response, 409, Buffer.from("{}"))
    const metadata = { ...sent.metadata, uid: randomUUID(), creationTimestamp: new Date().toISOString() }
    return write({ key: at, object: { ...sent, metadata }, status: 201, response })
  }
  if (stored === undefined) return answer(response, 404, Buffer.from("{}"))
  write({ key: path, object: merge(JSON.parse(stored.toString("utf8")), sent) as Stored, status: 200, response })
}

const server = createServer({ cert: readFileSync(cert), key: readFileSync(key), ca: readFileSync(ca), requestCert: true, rejectUnauthorized: false }, (request, response) => {
  const parts: Array<Buffer> = []
  request.on("data", (part: Buffer) => parts.push(part))
  request.on("end", () => handle(request, response, Buffer.concat(parts)))
})
server.listen(Number(port), "127.0.0.1")
process.once("SIGTERM", () => process.exit(0))
