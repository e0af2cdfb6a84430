/** Puts the streams of a port-forward session together: a client opens an error and a data stream for each of its connections. */
import type { Pair } from "./forwarding.js"
import type { SpdyStream } from "./spdySession.js"

interface Half {
  readonly stream: SpdyStream
  readonly port: number
}

/** A pair, and the stream of it that came first. */
export interface Completed extends Pair {
  readonly first: SpdyStream
}

export interface StreamPairs {
  /** False: the stream makes no sense here. Undefined: its partner is still to come. */
  readonly add: (stream: SpdyStream) => Completed | undefined | false
  /** Gives up a stream whose partner did not come. */
  readonly expire: (stream: SpdyStream) => void
}

const portOf = (text: string | undefined): number | undefined => {
  const port = text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) : 0
  return port > 0 && port < 65_536 ? port : undefined
}

// Clients of before there were request ids open the data stream right after the error stream.
const requestOf = ({ headers, id }: SpdyStream, isData: boolean): string => headers.get("requestid") ?? `stream ${isData ? id - 2 : id}`

/** A failure to find the partner. */
const refused = 3

export const make = (): StreamPairs => {
  const data = new Map<string, Half>()
  const errors = new Map<string, Half>()
  return {
    add: (stream) => {
      const type = stream.headers.get("streamtype")
      const port = portOf(stream.headers.get("port"))
      if ((type !== "data" && type !== "error") || port === undefined) return false
      const isData = type === "data"
      const [own, other] = isData ? [data, errors] : [errors, data]
      const request = requestOf(stream, isData)
      if (own.has(request)) return false
      // A client says nothing on the error stream; its end has to be read to be seen.
      if (!isData) stream.channel.resume()
      const partner = other.get(request)
      if (partner === undefined) {
        own.set(request, { stream, port })
        return undefined
      }
      other.delete(request)
      if (partner.port !== port) {
        partner.stream.reset(refused)
        return false
      }
      const first = partner.stream
      return isData ? { port, first, data: stream.channel, error: first.channel } : { port, first, data: first.channel, error: stream.channel }
    },
    expire: (stream) => {
      for (const halves of [data, errors]) {
        for (const [request, half] of halves) {
          if (half.stream !== stream) continue
          halves.delete(request)
          stream.reset(refused)
        }
      }
    }
  }
}
