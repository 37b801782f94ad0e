// A frame that nobody sees, whose policy allows styles: a message that is quoted is cleaned in it, since the application's own
// policy complains of every style that a parser meets.
import type { WindowLike } from 'dompurify';

let held: Promise<WindowLike> | null = null;

/** The window to clean in; our own when the frame cannot be had now. */
export function aside(): Promise<WindowLike> {
  held ??= open().catch(() => {
    held = null;
    return window;
  });
  return held;
}

function open(): Promise<WindowLike> {
  return new Promise((resolve, reject) => {
    const frame = document.createElement('iframe');
    frame.hidden = true;
    // No script runs in there; it is of our origin so that it can be used from here.
    frame.setAttribute('sandbox', 'allow-same-origin');
    frame.src = '/letter.html';
    frame.onload = () => {
      const view = frame.contentWindow as (Window & typeof globalThis) | null;
      // An error page is of another origin.
      if (view && frame.contentDocument) resolve(view);
      else {
        frame.remove();
        reject(new Error('no frame'));
      }
    };
    document.body.append(frame);
  });
}
