using Engram.Client;
using Engram.Learning;
using Engram.Retention;
using static Engram.Server.Specifications.SpecificationCheck;

namespace Engram.Server.Specifications;

/// <summary>Checks what a specification says of the model, against its inputs.</summary>
internal static class ModelCheck
{
    /// <summary>Features that one sum of products may have: 8,192² float64 are 512 MB.</summary>
    private const int MostProducts = 8192;

    /// <summary>Features where each class keeps products of its own.</summary>
    private const int MostProductsByClass = 1024;

    public static void Throw(ModelSpecification model, InputSchema input, int width)
    {
        NotNull("model.kind", model.Kind);
        if (model.Kind == "network") Network(model, input, width);
        else if (model.Kind is "ridge" or "ranpac" or "slda" or "fecam" or "ncm") ClosedForm(model, input, width);
        else throw Wrong("model.kind", Short(model.Kind), "ridge, ranpac, slda, fecam, ncm or network");
    }

    private static void ClosedForm(ModelSpecification model, InputSchema input, int width)
    {
        Between("model.randomFeatures", model.RandomFeatures ?? 0, 0, 20_000);
        Between("model.patchFilters", model.PatchFilters, 0, 512);
        if (model.PatchFilters > 0 && (input.Kind != InputKind.Image || input.Height < 6 || input.Width < 6))
            throw Wrong("model.patchFilters", model.PatchFilters, "0, but for images of 6 × 6 pixels or more");
        var random = LearnerRecipe.RandomFeaturesOf(model);
        if (model.PatchFilters > 0 && random > 0) throw Wrong("model.randomFeatures", random, "0 where there are patchFilters");
        if (model.Kind == "ranpac" && random == 0) throw Wrong("model.randomFeatures", 0, "1 or more for ranpac; ridge does without");
        if (random * (long)width > 100_000_000) throw Wrong("model.randomFeatures", random, $"at most {100_000_000 / width} of {width} inputs");
        if (model.Lambda is { } lambda && !(lambda >= 0 && double.IsFinite(lambda))) throw Wrong("model.lambda", lambda, "0 or a positive number");
        var features = LearnerRecipe.FeaturesOf(model, width);
        var most = model.Kind switch { "ncm" => int.MaxValue, "fecam" => MostProductsByClass, _ => MostProducts };
        if (features <= most) return;
        var field = model.PatchFilters > 0 ? "model.patchFilters" : random > 0 ? "model.randomFeatures"
            : input.Kind == InputKind.Text ? "input.features" : "model.kind";
        throw Wrong(field, $"{features} features for {model.Kind}", $"at most {most}; randomFeatures makes fewer of many");
    }

    private static void Network(ModelSpecification model, InputSchema input, int width)
    {
        NotNull("model.strategy", model.Strategy);
        NotNull("model.mechanisms", model.Mechanisms);
        NotNull("model.backbone", model.Backbone);
        NotNull("model.hidden", model.Hidden);
        Between("model.hidden", model.Hidden.Count, 1, 10, "layers");
        for (var i = 0; i < model.Hidden.Count; i++) Between($"model.hidden[{i}]", model.Hidden[i], 1, 16_384);
        Between("model.memory", model.Memory, 1, 10_000_000);
        Between("model.epochs", model.Epochs, 1, 1000);
        Between("model.batchSize", model.BatchSize, 1, 100_000);
        if (model.LearningRate is not (> 0 and <= 10)) throw Wrong("model.learningRate", model.LearningRate, "above 0 to 10");
        var numbers = model.Hidden.Prepend(width).Zip(model.Hidden, (from, to) => (long)from * to).Sum();
        if (numbers > 100_000_000) throw Wrong("model.hidden", $"{numbers} weights", "at most 100000000");
        if (model.Backbone is not ("mlp" or "digits-cnn")) throw Wrong("model.backbone", Short(model.Backbone), "mlp or digits-cnn");
        if (model.Backbone == "digits-cnn" && input is not { Kind: InputKind.Image, Channels: 1, Height: 28, Width: 28 })
            throw Wrong("model.backbone", model.Backbone, "mlp, but for images of 28 × 28 in grey");
        if (model.Mechanisms.Count > 0) Fits(MechanismList.StrategyOf(model.Mechanisms), "model.mechanisms", model, input);
        else Fits(Named(model), "model.strategy", model, input);
    }

    private static Strategy Named(ModelSpecification model)
    {
        var suited = Strategies.All.Where(strategy => strategy.Scenarios.Contains(Scenario.ClassIncremental)).ToArray();
        return suited.FirstOrDefault(candidate => candidate.Name == model.Strategy)
            ?? throw Wrong("model.strategy", Short(model.Strategy), $"one of {string.Join(", ", suited.Select(candidate => candidate.Name))}");
    }

    private static void Fits(Strategy strategy, string field, ModelSpecification model, InputSchema input)
    {
        if (strategy.Backbone is not null && model.Backbone != "mlp")
            throw Wrong("model.backbone", model.Backbone, $"mlp, since {strategy.Name} brings a backbone of its own");
        if (NeedsSquares(strategy) && !(input is { Kind: InputKind.Image, Channels: 1 } && input.Height == input.Width))
            throw Wrong(field, strategy.Name, "another one, but for square images in grey");
        try
        {
            strategy.Check(LearnerRecipe.OptionsOf(model, 0), LearnerRecipe.BudgetOf(model));
        }
        catch (ArgumentException problem)
        {
            throw Wrong(field, strategy.Name, $"what fits ({problem.Message})");
        }
    }

    private static bool NeedsSquares(Strategy strategy)
    {
        var mechanisms = strategy.Create(new StrategyBudget());
        foreach (var mechanism in mechanisms) mechanism.Dispose();
        return strategy.Name == "ridge" || mechanisms.Any(mechanism => mechanism is CompressedReplay);
    }
}
