/** What removing an image or a layer can be refused with. */
import * as Schema from "effect/Schema"

/** Something still needs the image or layer. Nothing was removed. @category errors */
export class ImageInUse extends Schema.TaggedError<ImageInUse>()("ImageInUse", {
  /** The image by its id or name, or the layer by its chain id. */
  image: Schema.String,
  /** Who needs it: holders, or clones. */
  users: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `${this.image} is in use by ${this.users.length === 0 ? "a clone of it" : this.users.join(", ")}; remove what uses it first`
  }
}
