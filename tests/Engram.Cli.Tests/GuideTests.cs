using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using Engram.Cli.Experiments;
using Spectre.Console;

namespace Engram.Cli.Tests;

/// <summary>What the documentation shows of files and commands is read by the program that it is about; nothing is run.</summary>
public partial class GuideTests
{
    private static readonly string s_root = Path.GetFullPath(Path.Combine(Commands.DataFolder.Find()!, "..", ".."));

    // What a fragment says nothing of, with the keys that fragments change.
    private const string Training = "training: { optimizer: { kind: adam, learningRate: 0.001 } }";
    private const string Strategies = "strategies: [{ name: some, mechanisms: [ewc: { lambda: 1 }] }]";

    public static TheoryData<string> Guides =>
        [.. new[] { ".", "docs", "docs/guides", "docs/methods" }
            .SelectMany(folder => Directory.GetFiles(Path.Combine(s_root, folder), "*.md"))
            .Select(path => Path.GetRelativePath(s_root, path).Replace('\\', '/'))
            .Where(path => path != "CHANGELOG.md")];

    [Theory, MemberData(nameof(Guides))]
    public void Files_and_fragments_of_experiments_are_read(string guide)
    {
        foreach (var yaml in Fragments(File.ReadAllText(Path.Combine(s_root, guide)).ReplaceLineEndings("\n")))
        {
            var whole = yaml;
            var keys = YamlSection.Parse(yaml, guide).Keys;
            if (!keys.Contains("training")) whole += $"\n{Training}";
            if (!keys.Contains("strategies")) whole += $"\n{Strategies}";
            var problem = Record.Exception(() => ExperimentFile.Parse(new ExperimentText(guide, whole)));
            Assert.True(problem is null, $"{guide}: {problem?.Message}\n{yaml}");
            Assert.True(SchemaCheck.Problem(whole) is null, $"{guide}: the schema: {SchemaCheck.Problem(whole)}\n{yaml}");
        }
    }

    [Theory, MemberData(nameof(Guides))]
    public void Commands_are_read(string guide)
    {
        foreach (var line in Lines(File.ReadAllText(Path.Combine(s_root, guide)).ReplaceLineEndings("\n")))
            Assert.True(Problem(line) is null, $"{guide}: {line}\n{Problem(line)}");
    }

    [Theory]
    [InlineData("engram run my.yaml --sed 1")]
    [InlineData("engram compre runs/0")]
    [InlineData("engram run digits --epochs none")]
    [InlineData("engram bench split-mnist class")]
    public void A_wrong_command_would_be_found(string line) => Assert.NotNull(Problem(line));

    [Fact]
    public void Files_and_commands_are_found_in_blocks_in_lines_and_in_sentences()
    {
        const string Text = """
            Text with `engram doctor --json` and `memory: 5`, and `engram
            run my.yaml`.

                engram init a.yaml      and why
                for s in 0 1; do engram run a.yaml --seed $s --out runs/$s; done

            ```sh
            engram serve | tail
            dotnet run -c Release --project src/Engram.Cli -- doctor
            ```

            ```yaml
            seed: 1
            ```
            """;
        Assert.Equal(
            ["engram init a.yaml", "engram run a.yaml --seed 0 --out runs/0", "engram serve", "engram doctor", "engram doctor --json", "engram run my.yaml"],
            Lines(Text));
        Assert.Equal(["seed: 1\n", "memory: 5"], Fragments(Text));
    }

    // A command that is only named, such as engram keys, is no call of it.
    private static string? Problem(string line)
    {
        var host = new CliHost(TextWriter.Null, TextWriter.Null, AnsiConsole.Console, false, TimeProvider.System, CancellationToken.None);
        var parsed = CommandLine.Build(host).Parse([.. CommandLineParser.SplitCommandLine(line).Skip(1)]);
        var named = parsed.Tokens.All(token => token.Type == TokenType.Command);
        return parsed.Errors.Count == 0 || named ? null : ParseErrors.Explain(parsed);
    }

    private static IEnumerable<string> Fragments(string text)
    {
        string[] parts = [.. InSentences(text).Where(code => code.StartsWith("mechanisms: ", StringComparison.Ordinal)).Select(code => $"strategies: [{{ name: some, {code} }}]")];
        string[] keys = [.. InSentences(text).Where(code => ExperimentFile.Keys.Any(key => code.StartsWith($"{key}: ", StringComparison.Ordinal)))];
        return [.. Yaml().Matches(text).Select(block => block.Groups[1].Value), .. keys, .. parts];
    }

    private static IEnumerable<string> Lines(string text) =>
        [.. Shown().Matches(text).Select(line => $"engram {Variable().Replace(line.Groups[1].Value, "0")}"),
            .. InSentences(text).Where(code => code.StartsWith("engram ", StringComparison.Ordinal))];

    // A sentence may break inside of code.
    private static IEnumerable<string> InSentences(string text) =>
        Inline().Matches(Fence().Replace(text, "")).Select(code => code.Groups[1].Value.Replace('\n', ' '));

    [GeneratedRegex("^```ya?ml\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Yaml();

    [GeneratedRegex("^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Inline();

    // To the end, or to what the shell or the reader makes of the rest.
    [GeneratedRegex(@"^(?:    )?(?:for .*; do )?(?:engram|dotnet run .* --) (.+?)(?:  .*| [|&#].*|;.*)?$", RegexOptions.Multiline)]
    private static partial Regex Shown();

    [GeneratedRegex(@"\$\w+")]
    private static partial Regex Variable();
}
