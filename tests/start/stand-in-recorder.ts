import { standIn } from "./stand-in-part.ts";

standIn("recorder");
