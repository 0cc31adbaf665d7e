using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Engram.Analytic;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;

namespace Engram.Persistence;

/// <summary>Makes mechanisms that take part in prediction from what a bundle says of them.</summary>
/// <remarks>A file can only choose among the mechanisms of the library, by name; it cannot name a type.</remarks>
internal static class PredictingMechanisms
{
    // Rows of noise that a file may ask a generative classifier for: what its paper has.
    private const int MostImportanceSamples = 10_000;

    // These predict by their state alone, so bundles from before options were kept will do.
    private static readonly string[] s_byState = ["icarl", "bic", "packnet", "progressive"];

    /// <summary>Options under which a restored learner predicts as it did; nothing else of them matters to prediction.</summary>
    /// <exception cref="JsonException">An option is missing or of another kind.</exception>
    public static LearnerOptions OptionsOf(BundleManifest manifest)
    {
        T Read<T>(string name) => (manifest.Learner.Options[name] ?? throw new JsonException($"learner.options.{name}: missing, expected a value"))
            .Deserialize<T>(ManifestJson.Options)!;
        return new LearnerOptions
        {
            Scenario = Read<Scenario>("scenario"),
            Seed = Read<long>("seed"),
            Precision = Restoration.PrecisionOf(manifest),
        };
    }

    /// <summary>Makes a mechanism, without its state.</summary>
    /// <param name="saved">What the manifest says of it.</param>
    /// <param name="state">Its state, to hold sizes against.</param>
    /// <exception cref="FormatException">It is not of the library, or cannot be made again.</exception>
    public static RetentionMechanism Of(BundleMechanism saved, MechanismState state)
    {
        var recipe = saved.Values[Bundle.RecipeKey] as JsonObject;
        if (recipe?["learner"] is not null) return OfAnalytic(saved.Name, recipe, state);
        var kind = MechanismKind.All.FirstOrDefault(kind => kind.Name == saved.Name)
            ?? throw new FormatException($"mechanism {saved.Name} takes part in prediction and is not of the library, expected to be loaded with its learner");
        if (recipe is null && !s_byState.Contains(saved.Name))
            throw new FormatException(
                $"mechanism {saved.Name} takes part in prediction and its options are not in the bundle, which an older Engram wrote; "
                + "expected to be loaded with its learner");
        var mechanism = kind.Create(recipe is null || kind.OptionsType is null ? null : WithoutKinds(recipe).Deserialize(kind.OptionsType, ManifestJson.Options));
        if ((mechanism.Seams & (Seams.Prediction | Seams.Forward)) != 0 && mechanism.Recipe is not GenerativeClassifierOptions { ImportanceSamples: > MostImportanceSamples })
            return mechanism;
        mechanism.Dispose();
        throw new FormatException($"mechanism {saved.Name}: options by which it does not take part in prediction, or with more than {MostImportanceSamples} importance samples");
    }

    // The learner's statistics have to be there for it to be built, and its extractor has to read the backbone's features.
    private static AnalyticHead OfAnalytic(string name, JsonObject recipe, MechanismState state) => new(name, (features, _) =>
    {
        const string Prefix = "features.";
        var tensors = state.Tensors.Where(pair => pair.Key.StartsWith(Prefix, StringComparison.Ordinal))
            .ToDictionary(pair => pair.Key[Prefix.Length..], pair => pair.Value);
        var extractor = new ExtractorFile(recipe.Value<string>("extractor"), recipe.Fields("extractorOptions"), tensors).Build();
        try
        {
            var (learner, options) = (recipe.Value<string>("learner"), recipe.Fields("learnerOptions"));
            CheckReads(extractor, features);
            AnalyticBundle.CheckWidth(learner, options, extractor.FeatureCount, state);
            return AnalyticBundle.Build(learner, options, recipe["scaling"].Deserialize<InputScaling>(ManifestJson.Options), extractor);
        }
        catch
        {
            extractor.Dispose();
            throw;
        }
    });

    private static void CheckReads(FeatureExtractor extractor, int features)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        try
        {
            if (extractor.Extract(zeros(1, features)).shape.SequenceEqual([1L, extractor.FeatureCount])) return;
        }
        catch (ExternalException)
        {
            // Said below.
        }
        throw new FormatException($"extractor: does not read the {features} features of the backbone");
    }

    // Abstract options are written with their kind and never read: none of them has a say in prediction.
    private static JsonObject WithoutKinds(JsonObject recipe)
    {
        var left = new JsonObject();
        foreach (var (name, value) in recipe)
            if (value is not JsonObject inner) left[name] = value?.DeepClone();
            else if (!inner.ContainsKey("kind")) left[name] = WithoutKinds(inner);
        return left;
    }
}
