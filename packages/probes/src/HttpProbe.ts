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

/**
 * Prepares an attempt.
 *
 * @category constructors
 */
export const prepare = (action: HttpGet): attempt.Attempt => {
  const target = requestTarget(action.path)
  const shown = `${action.scheme}://${ProbeAction.hostPort(action.host, action.port)}${target}`
  const failed = (detail: string) => ProbeOutcome.failure(`Get "${shown}": ${detail}`)
  let reading = false

  const run = attempt.make((done) => {
    let current: Http.ClientRequest | undefined
    let over = false

    const ask = (scheme: "http" | "https", host: string, port: number, path: string, headers: Record<string, Array<string> | string>, via: number) => {
      const finish = (outcome: ProbeOutcome.ProbeOutcome) => {
        over = true
        done(outcome)
      }
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
      const onResponse = (response: Http.IncomingMessage) => {
        const status = response.statusCode ?? 0
        const from = new URL(`${scheme}://${ProbeAction.hostPort(host, port)}${path}`)
        const next = locationOf(response, from)
        if (next !== undefined && next.hostname === from.hostname && (next.protocol === "http:" || next.protocol === "https:")) {
          response.destroy()
          if (via >= maxRedirects) return finish(failed(`stopped after ${maxRedirects} redirects`))
          const isRelative = !/^(?:[a-z][a-z0-9+.-]*:|\/\/)/i.test(response.headers.location ?? "")
          // A name that was asked for by hand is kept where the server did not name another one.
          const kept = isRelative ? headers : Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== "host"))
          const nextScheme = next.protocol === "https:" ? "https" : "http"
          ask(nextScheme, bareHost(next), Number(next.port) || (nextScheme === "https" ? 443 : 80), `${next.pathname}${next.search}`, kept, via + 1)
          return
        }
        reading = true
        const chunks: Array<Buffer> = []
        let size = 0
        const body = () => Buffer.concat(chunks).toString("utf8")
        response.on("data", (chunk: Buffer) => {
          chunks.push(chunk.subarray(0, bodyLimit - size))
          size += chunk.length
          if (size >= bodyLimit) finish(judge(status, body))
        })
        response.once("end", () => finish(judge(status, body)))
        response.on("error", () => {
          if (!over) finish(failed("unexpected EOF"))
        })
      }
      try {
        const request = (scheme === "https" ? Https : Http).request(options, onResponse)
        current = request
        // An error after the outcome is the connection being let go of.
        request.on("error", (error) => {
          if (!over && current === request) finish(failed(requestFailed(host, port, error)))
        })
        request.end()
      } catch (error) {
        // Node refuses what no request can hold, such as a header with a line end in it.
        finish(failed(goErrors.factsOf(error).message))
      }
    }

    ask(action.scheme, action.host, action.port, target, headersOf(action.headers), 0)
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
