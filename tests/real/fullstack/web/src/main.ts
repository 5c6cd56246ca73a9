import { title } from "./title";

declare const COMMIT: string;

document.title = title(COMMIT);
