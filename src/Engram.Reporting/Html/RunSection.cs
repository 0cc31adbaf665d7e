using Engram.Evaluation;

namespace Engram.Reporting.Html;

/// <summary>How to get this result again: the command, the settings, the machine.</summary>
internal static class RunSection
{
    public static Markup Render(RunResults results) => Markup.Of($"""
        <section id="run">
        <h2>How to reproduce it</h2>
        <pre tabindex="0" aria-label="Command"><code>{results.Command}</code></pre>
        <div class="tiles">
        {Table("Settings", results.Settings)}
        {Table("Environment", results.Environment)}
        </div>
        </section>
        """);

    /// <summary>Names and values.</summary>
    public static Markup Table(string caption, IReadOnlyDictionary<string, string> values) => values.Count == 0
        ? Markup.None
        : Markup.Of($"""
            <table class="pairs">
            <caption>{caption}</caption>
            <tbody>{Markup.Each(values, pair =>
                Markup.Of($"<tr><th scope=\"row\">{pair.Key}</th><td class=\"text\">{pair.Value}</td></tr>\n"))}</tbody>
            </table>
            """);
}
