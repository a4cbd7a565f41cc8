"""Where offices say of one person what cannot all be true. `read_police` reads the police's file, `bring_police` takes
it in or only looks, as the `jobs` of who `handed_in` it at a page; `look_for` finds what any file contradicts, a
register's by what it `contradicts` row by row; `queue` shows it to the office that owns it, `solve` takes its word,
`of_the_dead` asks back what was paid after a death, `watch` wakes somebody for what waits too long."""
