namespace Engram.Reporting.Html;

/// <summary>A page that needs nothing else: it loads nothing and runs no script.</summary>
internal static class HtmlPage
{
    private static readonly Markup s_style = new(ReadStyle());

    /// <summary>Renders a page.</summary>
    /// <param name="title">Its heading.</param>
    /// <param name="kind">What it is, above the heading.</param>
    /// <param name="facts">Short facts below the heading.</param>
    /// <param name="sections">The sections.</param>
    public static string Of(string title, string kind, Markup facts, Markup sections) => Markup.Of($"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta name="generator" content="Engram">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">
        <link rel="icon" href="data:,">
        <title>{title}: Engram report</title>
        <style>{s_style}</style>
        </head>
        <body>
        <header>
        <p class="kicker">{kind}</p>
        <h1>{title}</h1>
        <p class="facts">{facts}</p>
        </header>
        <main>
        {sections}
        </main>
        </body>
        </html>

        """).Text;

    private static string ReadStyle()
    {
        using var stream = typeof(HtmlPage).Assembly.GetManifestResourceStream("report.css")
            ?? throw new InvalidOperationException("report.css: the style is missing from this build");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd() + SeriesColours();
    }

    // One custom property per strategy style, for light pages and dark ones.
    private static string SeriesColours()
    {
        var rules = Palette.Styles.Select(s => $".s{s.Index}{{--c:light-dark({s.Light},{s.Dark})}}");
        return string.Join('\n', rules) + "\n";
    }
}
