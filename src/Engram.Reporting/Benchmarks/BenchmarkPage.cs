using Engram.Evaluation.Benchmarks;
using Engram.Learning;
using Engram.Reporting.Html;

namespace Engram.Reporting.Benchmarks;

/// <summary>A benchmark's table as one HTML page that needs nothing else.</summary>
public static class BenchmarkPage
{
    /// <summary>Renders the page. It loads nothing and runs no script; all labels are encoded.</summary>
    /// <param name="table">The table.</param>
    public static string Render(BenchmarkTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        return HtmlPage.Of(
            table.Title, "Engram benchmark",
            Markup.Of($"""
                <span><b>{table.Entries.Count}</b> {(table.Entries.Count == 1 ? "entry" : "entries")}</span>
                <span><b>{table.Entries.Max(entry => entry.Measured.Seeds)}</b> seeds at most</span>
                <span><b>{Quantity.Duration(table.CellSeconds)}</b> of one thread</span>
                """),
            Markup.Of($"""
                <section id="protocol">
                <h2>Protocol</h2>
                <p>{table.Source}.</p>
                <p>{table.Protocol}.</p>
                <p>{(table.IsShort
                    ? "The protocol was shortened: these numbers say nothing about the paper's."
                    : $"Agrees, above and below are {BenchmarkLists.Marks}.")}</p>
                </section>
                {Markup.Each(table.Entries.GroupBy(entry => entry.Scenario), entries => Section(table, entries))}
                {Lists([.. BenchmarkLists.Of(table)])}
                <section id="run">
                <h2>How to reproduce it</h2>
                <pre tabindex="0" aria-label="Command"><code>{table.Command}</code></pre>
                {RunSection.Table("Environment", table.Environment)}
                </section>
                """));
    }

    private static Markup Lists((string Says, string Entries)[] lists) => lists.Length == 0 ? Markup.None : Markup.Of($"""
        <section id="verified">
        <h2>What is verified, and what is not</h2>
        <ul>{Markup.Each(lists, list => Markup.Of($"<li><b>{list.Says}</b>: {list.Entries}.</li>"))}</ul>
        </section>
        """);

    private static Markup Section(BenchmarkTable table, IGrouping<Scenario, BenchmarkEntry> entries) => Markup.Of($"""
        <section id="{table.NameOf(entries.Key)}">
        <h2>{BenchmarkNumbers.Title(table, entries.Key)}</h2>
        {HeatTable.Scrolling(BenchmarkNumbers.Title(table, entries.Key), Markup.Of($"""
            <table>
            <caption>Mean test accuracy over all contexts at the end, % ± standard error of the mean</caption>
            <thead><tr><th scope="col">Method</th><th scope="col">Ours</th><th scope="col">Published</th><th scope="col"></th>
            <th scope="col">Backward transfer,<br>points</th>
            <th scope="col">Seeds</th><th scope="col">Time of<br>a seed</th><th scope="col" class="text">Command</th></tr></thead>
            <tbody>{Markup.Each(entries, Row)}</tbody>
            </table>
            """))}
        </section>
        """);

    private static Markup Row(BenchmarkEntry entry) => Markup.Of($"""
        <tr><th scope="row">{entry.Title}</th><td>{BenchmarkNumbers.Of(entry.Measured)}</td><td>{BenchmarkNumbers.Of(entry.Published)}</td>
        <td class="text">{BenchmarkNumbers.Word(entry.Verdict)}</td><td>{BenchmarkNumbers.Of(entry.Transfer)}</td><td>{BenchmarkNumbers.Seeds(entry)}</td>
        <td>{Quantity.Duration(entry.SecondsPerSeed)}</td><td class="text"><code>{entry.Command}</code></td></tr>

        """);
}
