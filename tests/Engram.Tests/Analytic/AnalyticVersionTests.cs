using System.Text.Json;
using Engram.Analytic;

namespace Engram.Tests.Analytic;

/// <summary>Bundles of analytic learners of every version of the format stay readable.</summary>
public class AnalyticVersionTests
{
    public static TheoryData<int, string> Fixtures()
    {
        var data = new TheoryData<int, string>();
        for (var version = 1; version <= AnalyticBundle.FormatVersion; version++)
            foreach (var name in AnalyticFixtures.Names) data.Add(version, name);
        return data;
    }

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void A_bundle_of_every_version_predicts_as_it_did_and_goes_on_learning(int version, string name)
    {
        var path = AnalyticFixtures.PathOf(version, name);
        Assert.True(Directory.Exists(path),
            $"{path} is missing: a new version of the format needs a fixture; run {nameof(Write_the_fixtures_of_the_present_version)} once");
        using var learner = AnalyticBundle.Load(path);
        var expected = JsonSerializer.Deserialize<float[]>(File.ReadAllText(AnalyticFixtures.ScoresOf(version, name)))!;
        // Another processor may round otherwise.
        AssertClose(expected, AnalyticFixtures.Scores(learner));

        using var scope = TorchSharp.torch.NewDisposeScope();
        learner.Learn(AnalyticFixtures.Experience(2));
        using var whole = AnalyticFixtures.Taught(name);
        whole.Learn(AnalyticFixtures.Experience(2));
        AssertClose(AnalyticFixtures.Scores(whole), AnalyticFixtures.Scores(learner));
    }

    // Once per version of the format, with --explicit; what is there already stays as it is.
    [Fact(Explicit = true)]
    public void Write_the_fixtures_of_the_present_version()
    {
        foreach (var name in AnalyticFixtures.Names)
        {
            var path = AnalyticFixtures.PathOf(AnalyticBundle.FormatVersion, name);
            if (Directory.Exists(path)) continue;
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using var learner = AnalyticFixtures.Taught(name);
            AnalyticBundle.Save(learner, path);
            File.WriteAllText(
                AnalyticFixtures.ScoresOf(AnalyticBundle.FormatVersion, name),
                JsonSerializer.Serialize(AnalyticFixtures.Scores(learner)) + "\n");
        }
    }

    private static void AssertClose(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-4f * Math.Max(1, Math.Abs(pair.First))));
    }
}
