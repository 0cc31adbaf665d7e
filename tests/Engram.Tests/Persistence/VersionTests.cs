using System.Text.Json;
using System.Text.Json.Nodes;
using Engram.Persistence;

namespace Engram.Tests.Persistence;

/// <summary>Bundles of every version of the format stay readable.</summary>
public class VersionTests
{
    public static TheoryData<int, string> Fixtures()
    {
        var data = new TheoryData<int, string>();
        for (var version = 1; version <= Bundle.FormatVersion; version++)
            foreach (var name in VersionFixtures.NamesOf(version)) data.Add(version, name);
        return data;
    }

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void A_bundle_of_every_version_predicts_as_it_did_and_goes_on_learning(int version, string name)
    {
        var path = VersionFixtures.PathOf(version, name);
        Assert.True(Directory.Exists(path),
            $"{path} is missing: a new version of the format needs a fixture; run {nameof(Write_the_fixtures_of_the_present_version)} once");
        var manifest = Bundle.Verify(path);
        Assert.Equal(version, manifest.Version);
        using var learner = VersionFixtures.New(name);
        Bundle.Restore(learner, path);
        AssertScores(version, name, VersionFixtures.Scores(learner));

        var known = learner.Classes.Count;
        var steps = learner.Optimizer.Steps;
        for (var index = 1; index < 3; index++) learner.Teach(VersionFixtures.Experience(index));
        Assert.Equal(3, learner.Learnt.Count);
        Assert.True(learner.Classes.Count > known && learner.Optimizer.Steps > steps);
    }

    public static TheoryData<string> Present => [.. VersionFixtures.NamesOf(Bundle.FormatVersion)];

    /// <summary>State under a name that is not asked for any more would be passed over in silence.</summary>
    [Theory]
    [MemberData(nameof(Present))]
    public void A_bundle_of_the_present_version_is_taken_in_whole(string name)
    {
        using var folder = new TemporaryFolder();
        using var learner = VersionFixtures.New(name);
        Bundle.Restore(learner, VersionFixtures.PathOf(Bundle.FormatVersion, name));
        var (kept, again) = (Bundle.ReadManifest(VersionFixtures.PathOf(Bundle.FormatVersion, name)), Bundle.Save(learner, folder["again"]));

        Assert.Equal(kept.Parts, again.Parts);
        foreach (var (before, after) in kept.Mechanisms.Zip(again.Mechanisms))
            foreach (var (key, value) in before.Values.Where(pair => pair.Key != Bundle.RecipeKey))
                Assert.True(JsonNode.DeepEquals(value, after.Values[key]), $"{before.Name}: {key}");
    }

    [Fact]
    public void The_model_of_a_fixture_loads_alone()
    {
        for (var version = 1; version <= Bundle.FormatVersion; version++)
        {
            using var model = Bundle.LoadModel(VersionFixtures.PathOf(version, "mlp"));
            using var scope = TorchSharp.torch.NewDisposeScope();
            AssertScores(version, "mlp", model.Scores(VersionFixtures.Probe()).data<float>().ToArray());
        }
    }

    [Fact]
    public void A_mechanism_that_predicts_is_made_again_from_a_fixture_alone()
    {
        for (var version = 2; version <= Bundle.FormatVersion; version++)
        {
            using var learner = Bundle.LoadToPredict(VersionFixtures.PathOf(version, "icarl"));
            AssertScores(version, "icarl", VersionFixtures.Scores(learner));
        }
    }

    // Once per version of the format, with --explicit; what is there already stays as it is.
    [Fact(Explicit = true)]
    public void Write_the_fixtures_of_the_present_version()
    {
        foreach (var name in VersionFixtures.NamesOf(Bundle.FormatVersion))
        {
            var path = VersionFixtures.PathOf(Bundle.FormatVersion, name);
            if (Directory.Exists(path)) continue;
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using var learner = VersionFixtures.Taught(name);
            Bundle.Save(learner, path, new BundleInfo { Data = "fixture", Metrics = new Dictionary<string, double> { ["accuracy"] = 0.5 } });
            File.WriteAllText(
                VersionFixtures.ScoresOf(Bundle.FormatVersion, name), JsonSerializer.Serialize(VersionFixtures.Scores(learner)) + "\n");
        }
    }

    // Another processor may round otherwise.
    private static void AssertScores(int version, string name, float[] actual)
    {
        var expected = JsonSerializer.Deserialize<float[]>(File.ReadAllText(VersionFixtures.ScoresOf(version, name)))!;
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
    }
}
