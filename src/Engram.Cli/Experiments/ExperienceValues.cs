using YamlDotNet.RepresentationModel;

namespace Engram.Cli.Experiments;

/// <summary>The section <c>perExperience</c> of a file: values that differ from one experience to the next.</summary>
internal static class ExperienceValues
{
    private const int Most = 1000;

    private static readonly string[] s_may = ["training.", "strategies["];

    /// <summary>The name of the section.</summary>
    public const string Key = "perExperience";

    /// <summary>The file as it is in each experience; empty without such a section.</summary>
    /// <exception cref="UsageException">It is wrong; the message names file, line and key.</exception>
    public static IReadOnlyList<ExperimentFile> Read(ExperimentText text, long? seed)
    {
        if (text.Top.Section(Key) is not { } section) return [];
        var lists = section.Keys.ToDictionary(key => key, key => Values(text, section, key));
        if (lists.Count == 0) throw text.Top.Problem(Key, "empty, expected keys of this file with a list of values each");
        var plain = text.Without(Key, "tune");
        return [.. Enumerable.Range(0, lists.Values.Max(list => list.Count)).Select(position =>
        {
            var then = lists.ToDictionary(pair => pair.Key, pair => pair.Value[Math.Min(position, pair.Value.Count - 1)]);
            try
            {
                return ExperimentFile.Parse(plain.With(then), seed);
            }
            catch (YamlProblem problem) // its line is that of a file with other values, which is nobody's
            {
                throw text.Top.Problem(Key, $"experience {position}: {problem.Said}", problem);
            }
        })];
    }

    private static List<string> Values(ExperimentText text, YamlSection section, string key)
    {
        // What a learner is made of cannot change under it: memory, model and data are the same in all.
        if (!s_may.Any(start => key.StartsWith(start, StringComparison.Ordinal)))
            throw section.Problem(key, $"the same in all experiences, expected a key of {string.Join(" or ", s_may.Select(start => start.TrimEnd('.', '[')))}");
        text.ValueAt(key, problem => section.Problem(key, problem));
        var values = section.List(key)!.Select((value, i) => value is YamlScalarNode { Value: { } word }
            ? word
            : throw section.Problem(value, $"{section.PathOf(key)}[{i}]: {YamlSection.Kind(value)}, expected a single value")).ToList();
        return values.Count is > 0 and <= Most
            ? values
            : throw section.Problem(key, $"{values.Count} values, expected 1 to {Most}, the last for all experiences that follow");
    }
}
