using Engram.Learning;

namespace Engram.Persistence;

/// <summary>What must hold between the parts of a bundle, before any of it reaches a learner.</summary>
internal static class ContentCheck
{
    public static void Check(BundleContent content)
    {
        var (manifest, head) = (content.Manifest, content["head"]);
        foreach (var name in content["backbone"].Keys)
            if (!name.StartsWith("backbone.", StringComparison.Ordinal))
                throw content.Bad("backbone", $"tensor {name}, expected names that begin with backbone.");
        foreach (var name in head.Keys)
            if (!name.StartsWith("head.", StringComparison.Ordinal))
                throw content.Bad("head", $"tensor {name}, expected names that begin with head.");

        // Growing a head takes memory, so its file must hold at least as many numbers.
        var (numbers, needed) = (head.Values.Sum(tensor => tensor.numel()), (Int128)manifest.Classes.Count * manifest.Model.Features);
        if (numbers < needed)
            throw content.Bad("head", $"{numbers} numbers, expected {needed} or more for {manifest.Classes.Count} classes");
        CheckRandom(content);
        CheckMoments(content);
    }

    private static void CheckRandom(BundleContent content)
    {
        var random = content["random"];
        if (random.Count == 0) return; // not asked for
        if (random.Count != 1 || !random.TryGetValue("torch", out var torch) || !TorchRandom.IsState(torch))
            throw content.Bad("random", "expected one tensor torch, a state of torch's generator");
    }

    private static void CheckMoments(BundleContent content)
    {
        if (content.Manifest.Parts.All(part => part.Name != "optimizer") && content.Manifest.Optimizer.Moments.Count > 0)
            throw content.Bad("optimizer", "missing, expected the optimiser's moments");
        var model = content.ModelTensors.ToDictionary(pair => pair.Key, pair => pair.Value);
        foreach (var (name, moment) in content["optimizer"])
        {
            var slash = name.IndexOf('/', StringComparison.Ordinal);
            if (slash < 0 || !content.Manifest.Optimizer.Moments.Contains(name[..slash])
                || !model.TryGetValue(name[(slash + 1)..], out var parameter))
                throw content.Bad("optimizer", $"tensor {name}, expected a moment of a parameter of the model");
            if (moment.dtype != ScalarType.Float32 || !moment.shape.SequenceEqual(parameter.shape))
                throw content.Bad("optimizer",
                    $"tensor {name}: {moment.dtype} [{string.Join(", ", moment.shape)}], "
                    + $"expected Float32 [{string.Join(", ", parameter.shape)}] as the parameter");
        }
    }
}
