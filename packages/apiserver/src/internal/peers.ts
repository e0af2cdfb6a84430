/** Who is at the other end of a connection: looked up once per connection, remembered as long as it lives. */
import type { IncomingMessage } from "node:http"
import type { Http2ServerRequest } from "node:http2"
import type { Socket } from "node:net"
import type { TLSSocket } from "node:tls"
import type { ClientCertificate } from "../authentication/Authenticator.js"

const first = (value: string | ReadonlyArray<string> | undefined): string =>
  typeof value === "string" ? value : value?.[0] ?? ""

const all = (value: string | ReadonlyArray<string> | undefined): ReadonlyArray<string> =>
  value === undefined ? [] : typeof value === "string" ? [value] : value

const read = (socket: TLSSocket): ClientCertificate | undefined => {
  const { subject } = socket.getPeerCertificate(false)
  // Without a client certificate the object is empty. One that nobody vouches for is nobody's.
  if (subject !== undefined && !socket.authorized) return { commonName: "", organizations: [] }
  return subject === undefined ? undefined : { commonName: first(subject.CN), organizations: all(subject.O) }
}

// HTTP/2 shows its socket through a proxy that knows properties only when they are read.
const isTls = (socket: Socket | TLSSocket): socket is TLSSocket => Reflect.get(socket, "encrypted") === true

/** The verified client certificates of connections. */
export const make = (): (request: Http2ServerRequest | IncomingMessage) => ClientCertificate | undefined => {
  const known = new WeakMap<object, { readonly certificate: ClientCertificate | undefined }>()
  return (request) => {
    // HTTP/1.1 requests have no stream; those of HTTP/2 show another wrapper of the socket each time.
    const session = "stream" in request ? request.stream?.session : undefined
    const connection: object = session ?? request.socket
    const found = known.get(connection)
    if (found !== undefined) return found.certificate
    const socket = session?.socket ?? request.socket
    const certificate = isTls(socket) ? read(socket) : undefined
    known.set(connection, { certificate })
    return certificate
  }
}
