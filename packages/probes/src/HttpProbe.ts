/**
 * A GET as a kubelet sends it: a connection of its own, no verification of certificates, redirects followed within the host only, at most
 * 10 KiB of the answer read.
 */
import * as Http from "node:http"
import * as Https from "node:https"
import { createConnection, isIP } from "node:net"
import * as Tls from "node:tls"
import * as attempt from "./internal/attempt.js"
import * as goErrors from "./internal/goErrors.js"
import * as ProbeAction from "./ProbeAction.js"
import * as ProbeOutcome from "./ProbeOutcome.js"

/** What the program that probes calls itself. @category models */
export const userAgent = "kube-probe/1.36"

/** Most bytes of an answer that are read. */
const bodyLimit = 10 * 1024

const maxRedirects = 10

type HttpGet = Extract<ProbeAction.ProbeAction, { readonly _tag: "HttpGet" }>

/** Path and query as they are sent: absolute, without a fragment, with nothing in it that a request line cannot hold. */
const requestTarget = (path: string): string => {
  const bare = path.replace(/#.*$/s, "")
  const absolute = bare.startsWith("/") ? bare : `/${bare}`
  return absolute.replace(/[^\x21-\x7e]+/gu, (text) => encodeURIComponent(Buffer.from(text, "utf8").toString("utf8"))).replace(/["<>\\^`{|}]/g, (letter) => encodeURIComponent(letter))
}

/** Names once, whatever their case; a name given twice is sent twice. An empty `User-Agent` or `Accept` takes the header away. */
const headersOf = (given: HttpGet["headers"]): Record<string, Array<string> | string> => {
  const headers = new Map<string, [string, Array<string>]>()
  for (const [name, value] of given) {
    const known = headers.get(name.toLowerCase())
    if (known === undefined) headers.set(name.toLowerCase(), [name, [value]])
    else known[1].push(value)
  }
  if (!headers.has("user-agent")) headers.set("user-agent", ["User-Agent", [userAgent]])
  if (!headers.has("accept")) headers.set("accept", ["Accept", ["*/*"]])
  for (const name of ["accept", "user-agent"]) if (headers.get(name)?.[1][0] === "") headers.delete(name)
  return Object.fromEntries([...headers.values()].map(([name, values]) => [name, values.length === 1 ? values[0] ?? "" : values]))
}

const isRedirect = (status: number): boolean => status === 301 || status === 302 || status === 303 || status === 307 || status === 308

/** Where an answer sends its reader; undefined when it says nothing usable. */
const locationOf = (response: Http.IncomingMessage, from: URL): URL | undefined => {
  const { location } = response.headers
  return location === undefined || !isRedirect(response.statusCode ?? 0) || !URL.canParse(location, from.href) ? undefined : new URL(location, from.href)
}

const bareHost = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, "$1")

/** Why there is no answer, in the words of Go's client. */
const requestFailed = (host: string, port: number, error: unknown): string => {
  const facts = goErrors.factsOf(error)
  if (["connect", "getaddrinfo", "socket"].includes(facts.syscall)) return goErrors.dial(host, port, error)
  if (facts.code === "ECONNRESET") return facts.syscall === "read" ? "read: connection reset by peer" : "EOF"
  if (facts.code === "EPROTO" || facts.code === "ERR_SSL_WRONG_VERSION_NUMBER") return "http: server gave HTTP response to HTTPS client"
  if (facts.code.startsWith("HPE_")) return `net/http: HTTP/1.x transport connection broken: malformed HTTP response (${facts.message})`
  return facts.message
}

const judge = (status: number, body: () => string): ProbeOutcome.ProbeOutcome => {
  if (status < 200 || status >= 400) return ProbeOutcome.failure(`HTTP probe failed with statuscode: ${status}`)
  return status < 300 ? ProbeOutcome.success : ProbeOutcome.ProbeOutcome.Success({ warning: `Probe terminated redirects, Response body: ${body()}` })
}

/** One request of an attempt: the first, or one that a redirect led to. */
interface Ask {
  readonly scheme: "http" | "https"
  readonly host: string
  readonly port: number
  /** Path and query. */
  readonly target: string
  readonly headers: Record<string, Array<string> | string>
}

const isRelative = (location: string): boolean => !/^(?:[a-z][a-z0-9+.-]*:|\/\/)/i.test(location)

/** What is asked next; undefined when the answer ends the attempt, as one that leads to another host does. */
const redirected = (asked: Ask, response: Http.IncomingMessage): Ask | undefined => {
  const from = new URL(`${asked.scheme}://${ProbeAction.hostPort(asked.host, asked.port)}${asked.target}`)
  const to = locationOf(response, from)
  if (to === undefined || to.hostname !== from.hostname || (to.protocol !== "http:" && to.protocol !== "https:")) return undefined
  const scheme = to.protocol === "https:" ? "https" : "http"
  // A name that was asked for by hand is kept where the server did not name another one.
  const headers = isRelative(response.headers.location ?? "")
    ? asked.headers
    : Object.fromEntries(Object.entries(asked.headers).filter(([name]) => name.toLowerCase() !== "host"))
  return { scheme, host: bareHost(to), port: Number(to.port) || (scheme === "https" ? 443 : 80), target: `${to.pathname}${to.search}`, headers }
}

/** Reads as much of an answer as matters, and judges it. */
const readAnswer = (response: Http.IncomingMessage, done: (outcome: ProbeOutcome.ProbeOutcome) => void): void => {
  const status = response.statusCode ?? 0
  const chunks: Array<Buffer> = []
  let size = 0
  const body = () => Buffer.concat(chunks).toString("utf8")
  response.on("data", (chunk: Buffer) => {
    chunks.push(chunk.subarray(0, bodyLimit - size))
    size += chunk.length
    if (size >= bodyLimit) done(judge(status, body))
  })
  response.once("end", () => done(judge(status, body)))
}

const send = ({ headers, host, port, scheme, target: path }: Ask, onResponse: (response: Http.IncomingMessage) => void): Http.ClientRequest => {
  const options: Https.RequestOptions = {
    host,
    port,
    path,
    headers,
    // Without an agent: an attempt must open a connection of its own to mean anything, and an agent would have to keep account of it.
    createConnection: () =>
      scheme === "https"
        ? Tls.connect({ host, port, rejectUnauthorized: false, servername: isIP(host) === 0 ? host : "" })
        : createConnection({ host, port })
  }
  return (scheme === "https" ? Https : Http).request(options, onResponse)
}

/**
 * Prepares an attempt.
 *
 * @category constructors
 */
export const prepare = (action: HttpGet): attempt.Attempt => {
  const first: Ask = { scheme: action.scheme, host: action.host, port: action.port, target: requestTarget(action.path), headers: headersOf(action.headers) }
  const shown = `${first.scheme}://${ProbeAction.hostPort(first.host, first.port)}${first.target}`
  const failed = (detail: string) => ProbeOutcome.failure(`Get "${shown}": ${detail}`)
  let reading = false

  const run = attempt.make((done) => {
    let current: Http.ClientRequest | undefined
    let over = false
    const finish = (outcome: ProbeOutcome.ProbeOutcome) => {
      over = true
      done(outcome)
    }

    const ask = (asked: Ask, redirects: number): void => {
      try {
        const request = send(asked, (response) => {
          const next = redirected(asked, response)
          if (next !== undefined) {
            response.destroy()
            return redirects >= maxRedirects ? finish(failed(`stopped after ${maxRedirects} redirects`)) : ask(next, redirects + 1)
          }
          reading = true
          readAnswer(response, finish)
          response.on("error", () => {
            if (!over) finish(failed("unexpected EOF"))
          })
        })
        current = request
        // An error after the outcome is the connection being let go of.
        request.on("error", (error) => {
          if (!over && current === request) finish(failed(requestFailed(asked.host, asked.port, error)))
        })
        request.end()
      } catch (error) {
        // Node refuses what no request can hold, such as a header with a line end in it.
        finish(failed(goErrors.factsOf(error).message))
      }
    }

    ask(first, 0)
    return () => {
      over = true
      current?.destroy()
    }
  })

  return {
    run,
    timedOut: () =>
      failed(
        reading
          ? "context deadline exceeded (Client.Timeout or context cancellation while reading body)"
          : "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
      )
  }
}
