using Engram.Evaluation.Benchmarks;
using Engram.Learning;

namespace Engram.Reporting.Benchmarks;

/// <summary>What of a table is verified, what is not, and what is missing, by name.</summary>
internal static class BenchmarkLists
{
    /// <summary>What the marks of a table mean.</summary>
    public const string Marks =
        "meant by two standard errors of the difference; a published number whose error is not recorded here counts as if its error were 0";

    /// <summary>The lists that are not empty: what each says, and its entries.</summary>
    /// <param name="table">The table.</param>
    public static IEnumerable<(string Says, string Entries)> Of(BenchmarkTable table) =>
        from list in (table.IsShort ? [] : Verified(table)).Concat(Missing(table))
        where list.Entries.Length > 0
        select (list.Says, string.Join("; ", list.Entries));

    private static IEnumerable<(string Says, string[] Entries)> Verified(BenchmarkTable table)
    {
        yield return ("Verified, agrees with the paper", Judged(table, Verdict.Agrees));
        yield return ("Above the paper", Judged(table, Verdict.Above));
        yield return ("Below the paper", Judged(table, Verdict.Below));
        yield return ("Not verified, no number of the paper is recorded here", ByTitle(table, table.Entries.Where(entry => entry.Published is null)));
        yield return ("Not verified, one seed tells no standard error", Judged(table, Verdict.None));
    }

    private static IEnumerable<(string Says, string[] Entries)> Missing(BenchmarkTable table)
    {
        yield return ("Fewer seeds than asked for", [.. table.Entries.Where(entry => entry.Asked > entry.Measured.Seeds)
            .Select(entry => $"{entry.Title} ({table.NameOf(entry.Scenario)}, {BenchmarkNumbers.Seeds(entry)} seeds)")]);
        yield return ("Not computed", ByTitle(table, table.Missing.Select(missing => (missing.Title, missing.Scenario))));
    }

    // Accuracies first, then backward transfers.
    private static string[] Judged(BenchmarkTable table, Verdict verdict) =>
    [
        .. ByTitle(table, table.Entries.Where(entry => entry.Published is not null && entry.Verdict == verdict)),
        .. table.Entries.Where(entry => entry.Transfer is { Published: not null } transfer && transfer.Verdict == verdict)
            .Select(entry => $"{entry.Title} ({table.NameOf(entry.Scenario)}, BWT)"),
    ];

    private static string[] ByTitle(BenchmarkTable table, IEnumerable<BenchmarkEntry> entries) =>
        ByTitle(table, entries.Select(entry => (entry.Title, entry.Scenario)));

    private static string[] ByTitle(BenchmarkTable table, IEnumerable<(string Title, Scenario Scenario)> entries) =>
        [.. entries.GroupBy(entry => entry.Title).Select(group => $"{group.Key} ({string.Join(", ", group.Select(entry => table.NameOf(entry.Scenario)))})")];
}
