/** Which images a name means, and which names an image has. */
import * as Either from "effect/Either"
import * as Digest from "../Digest.js"
import { fits, type ImageRecord, nameOf } from "../Image.js"
import * as ImageReference from "../ImageReference.js"
import * as Platform from "../Platform.js"

/** Whether the image has this name. With a digest the digest decides. */
export const isCalled = (image: ImageRecord, reference: ImageReference.ImageReference): boolean =>
  reference.digest === undefined
    ? image.references.includes(ImageReference.format(reference))
    : image.digests.includes(`${ImageReference.name(reference)}@${reference.digest}`)

const isId = (image: ImageRecord, text: string): boolean =>
  image.id === text || (/^[0-9a-f]{4,128}$/.test(text) && Digest.hex(image.id).startsWith(text))

/** Images that a text means: by id, else by name. More than one when it is not clear. */
export const select = (
  images: ReadonlyArray<ImageRecord>,
  text: string,
  wanted: Platform.Wanted | undefined,
  options: ImageReference.Options | undefined
): ReadonlyArray<ImageRecord> => {
  const ok = images.filter((image) => wanted === undefined || fits(image, wanted))
  const byId = ok.filter((image) => isId(image, text))
  if (byId.length > 0) return byId
  return Either.match(ImageReference.parse(text, options), {
    onLeft: () => [],
    onRight: (reference) => ok.filter((image) => isCalled(image, reference))
  })
}

const samePlatform = (a: ImageRecord, b: ImageRecord): boolean =>
  a.brand === b.brand && Platform.format(Platform.normalise(a.config)) === Platform.format(Platform.normalise(b.config))

/** The images with one more or a changed one: a name belongs to one image of a platform. */
export const withRecord = (images: ReadonlyArray<ImageRecord>, record: ImageRecord): ReadonlyArray<ImageRecord> => [
  ...images.filter(({ id }) => id !== record.id).map((image) => {
    const references = samePlatform(image, record) ? image.references.filter((name) => !record.references.includes(name)) : image.references
    return references.length === image.references.length ? image : { ...image, references }
  }),
  record
]

/** The image without this name; nothing when it was the last, or when the text names the image itself. */
export const withoutName = (image: ImageRecord, text: string, options: ImageReference.Options | undefined): ImageRecord | undefined => {
  if (isId(image, text)) return undefined
  const name = Either.getOrUndefined(ImageReference.parse(text, options))
  const references = image.references.filter((other) => name === undefined || other !== ImageReference.format(name))
  return references.length === 0 || references.length === image.references.length ? undefined : { ...image, references }
}

/** By name, then by id. */
export const compare = (a: ImageRecord, b: ImageRecord): number => {
  const [left, right] = [`${nameOf(a)} ${a.id}`, `${nameOf(b)} ${b.id}`]
  return left < right ? -1 : left > right ? 1 : 0
}
