/** Asks a gRPC server for its health: `grpc.health.v1.Health/Check` over HTTP/2 in clear text. */
import * as Http2 from "node:http2"
import * as attempt from "./internal/attempt.js"
import * as goErrors from "./internal/goErrors.js"
import * as grpcHealth from "./internal/grpcHealth.js"
import { userAgent } from "./HttpProbe.js"
import * as ProbeAction from "./ProbeAction.js"
import * as ProbeOutcome from "./ProbeOutcome.js"

/** A health answer has a few bytes. */
const bodyLimit = 10 * 1024

const header = (value: string | ReadonlyArray<string> | undefined): string | undefined => typeof value === "string" ? value : value?.[0]

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const judge = (code: number, message: string, body: Buffer): ProbeOutcome.ProbeOutcome => {
  if (code === 12) {
    return ProbeOutcome.failure(`error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${message}`)
  }
  if (code !== 0) return ProbeOutcome.failure(`error: health rpc probe failed: rpc error: code = ${grpcHealth.codeName(code)} desc = ${message}`)
  const status = grpcHealth.statusOf(body)
  if (status === undefined) return ProbeOutcome.failure("error: health rpc probe failed: rpc error: code = Internal desc = the answer is no health message")
  return status === "SERVING" ? ProbeOutcome.success : ProbeOutcome.failure(`service unhealthy (responded with "${status}")`)
}

/**
 * Prepares an attempt; `timeoutMillis` is what the outcome says of an attempt that takes longer.
 *
 * @category constructors
 */
export const prepare = (
  { host, port, service }: Extract<ProbeAction.ProbeAction, { readonly _tag: "Grpc" }>,
  timeoutMillis: number
): attempt.Attempt => {
  const address = ProbeAction.hostPort(host, port)
  const within = ProbeAction.duration(timeoutMillis)
  let connected = false

  const run = attempt.make((done) => {
    const session = Http2.connect(`http://${address}`)
    const broken = (error: unknown) =>
      done(ProbeOutcome.failure(
        connected
          ? `error: health rpc probe failed: rpc error: code = Unavailable desc = ${goErrors.factsOf(error).message}`
          : `error: failed to connect service at "${address}": ${goErrors.dial(host, port, error)}`
      ))
    session.on("error", broken)
    session.once("close", () => broken(new Error("error reading from server: EOF")))
    // Only a server that speaks HTTP/2 sends its settings.
    session.once("remoteSettings", () => void (connected = true))
    const stream = session.request({
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      "te": "trailers",
      "user-agent": userAgent
    })
    stream.on("error", broken)
    const chunks: Array<Buffer> = []
    let size = 0
    let code: number | undefined
    let message = ""
    let problem: string | undefined
    const note = (headers: Http2.IncomingHttpHeaders) => {
      const status = header(headers["grpc-status"])
      if (status === undefined) return
      code = Number(status)
      message = decoded(header(headers["grpc-message"]) ?? "")
    }
    stream.once("response", (headers) => {
      const status = headers[":status"] ?? 0
      if (status !== 200) problem = `unexpected HTTP status code received from server: ${status}`
      else if (header(headers["content-type"])?.startsWith("application/grpc") !== true) problem = "the server does not speak gRPC"
      note(headers)
    })
    stream.once("trailers", note)
    stream.on("data", (chunk: Buffer) => {
      size += chunk.length
      if (size > bodyLimit) broken(new Error("the answer is too long"))
      else chunks.push(chunk)
    })
    stream.once("end", () => {
      // Trailers arrive with the end of the stream, before this.
      if (problem !== undefined || code === undefined) broken(new Error(problem ?? "server closed the stream without sending trailers"))
      else done(judge(code, message, Buffer.concat(chunks)))
    })
    stream.end(grpcHealth.request(service))
    return () => session.destroy()
  })

  return {
    run,
    timedOut: () =>
      ProbeOutcome.failure(
        connected
          ? `timeout: health rpc did not complete within ${within}`
          : `timeout: failed to connect service "${address}" within ${within}: context deadline exceeded`
      )
  }
}
