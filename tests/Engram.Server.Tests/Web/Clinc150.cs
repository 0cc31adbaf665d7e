using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json.Nodes;
using Engram.Tests;

namespace Engram.Server.Tests.Web;

/// <summary>A question of a user, and what it asks for.</summary>
internal sealed record Ticket(string Text, string Intent);

/// <summary>CLINC150 (Larson et al. 2019, An Evaluation Dataset for Intent Classification and Out-of-Scope Prediction): 150 intents in 10 domains.</summary>
internal sealed class Clinc150
{
    private readonly JsonNode _texts;
    private readonly JsonNode _domains;

    private Clinc150(JsonNode texts, JsonNode domains) => (_texts, _domains) = (texts, domains);

    /// <summary>Reads the archive; skips the test, visibly, where it is not there.</summary>
    public static Clinc150 Load()
    {
        using var unzipped = new GZipStream(File.OpenRead(TestData.Shared("clinc150.tar.gz")), CompressionMode.Decompress);
        using var tar = new TarReader(unzipped);
        var files = new Dictionary<string, JsonNode>();
        while (tar.GetNextEntry() is { } entry)
            if (entry.DataStream is { } content && entry.Name.EndsWith(".json", StringComparison.Ordinal)) files[Path.GetFileName(entry.Name)] = JsonNode.Parse(content)!;
        return new Clinc150(files["data_full.json"], files["domains.json"]);
    }

    /// <summary>Questions about some domains, in an order left to the seed.</summary>
    /// <param name="part"><c>train</c> or <c>test</c>.</param>
    /// <param name="domains">The domains.</param>
    public IReadOnlyList<Ticket> Tickets(string part, params string[] domains)
    {
        var wanted = domains.SelectMany(domain => _domains[domain]!.AsArray().Select(intent => (string)intent!)).ToHashSet();
        Ticket[] tickets = [.. All(part).Where(ticket => wanted.Contains(ticket.Intent))];
        new Random(0).Shuffle(tickets);
        return tickets;
    }

    /// <summary>Questions about none of the intents.</summary>
    public IReadOnlyList<Ticket> OutOfScope => [.. All("oos_test")];

    private IEnumerable<Ticket> All(string part) => _texts[part]!.AsArray().Select(pair => new Ticket((string)pair![0]!, (string)pair[1]!));
}
