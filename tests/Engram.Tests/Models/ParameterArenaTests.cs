using Engram.Models;
using TorchSharp;

namespace Engram.Tests.Models;

public class ParameterArenaTests
{
    [Fact]
    public void Parameters_and_gradients_are_views_of_the_flat_tensors()
    {
        using var scope = torch.NewDisposeScope();
        var model = Grown(new Mlp(4, 3), 2);
        using var arena = new ParameterArena(model);
        var before = model.forward(torch.ones(1, 4)).detach();
        using (torch.no_grad()) arena["head.bias"].Of(arena.Values).add_(1);
        Assert.Equal(2, model.forward(torch.ones(1, 4)).sub(before).sum().item<float>(), 1e-5);

        model.forward(torch.ones(1, 4)).sum().backward();
        Assert.Equal([1f, 1], arena["head.bias"].Of(arena.Gradient).data<float>().ToArray());
        Assert.Equal(arena.Length, model.parameters().Sum(parameter => parameter.numel()));
    }

    [Fact]
    public void Growing_keeps_old_rows_bit_for_bit_and_carries_flat_vectors()
    {
        using var scope = torch.NewDisposeScope();
        var model = Grown(new Mlp(4, 3), 2);
        using var arena = new ParameterArena(model);
        var weight = arena["head.weight"].Of(arena.Values).clone();
        var importance = torch.arange(arena.Length, torch.ScalarType.Float32).DetachFromDisposeScope();
        var old = arena["head.weight"].Of(importance).clone();

        model.Head.Grow(3);
        var carried = arena.Rebuild().Carry(importance);

        Assert.True(arena["head.weight"].Of(arena.Values).narrow(0, 0, 2).equal(weight).all().item<bool>());
        Assert.True(arena["head.weight"].Of(carried).narrow(0, 0, 2).equal(old).all().item<bool>());
        Assert.Equal(0, arena["head.weight"].Of(carried).narrow(0, 2, 3).abs().sum().item<float>());
        Assert.Equal([5L, 3], arena["head.weight"].Shape);
        Assert.Equal(0.1f, arena["head.bias"].Of(arena.Values)[4].item<float>());
    }

    [Fact]
    public void Borrowed_values_are_read_until_they_are_given_back()
    {
        using var scope = torch.NewDisposeScope();
        var model = Grown(new Mlp(4, 3), 2);
        using var arena = new ParameterArena(model);
        var own = model.forward(torch.ones(1, 4)).detach();
        using (arena.Borrow(torch.zeros(arena.Length)))
            Assert.Equal(0, model.forward(torch.ones(1, 4)).abs().sum().item<float>());
        Assert.True(model.forward(torch.ones(1, 4)).equal(own).all().item<bool>());
    }

    [Fact]
    public void New_rows_of_the_linear_head_are_kaiming_by_fan_out()
    {
        using var scope = torch.NewDisposeScope();
        torch.manual_seed(1);
        var head = new LinearHead(4000);
        head.Grow(50);
        var weight = head.named_parameters().First(p => p.name == "weight").parameter;
        Assert.Equal(Math.Sqrt(2.0 / 50), weight.std().item<float>(), 1e-3);
    }

    [Fact]
    public void New_rows_may_begin_as_those_of_published_protocols_do()
    {
        using var scope = torch.NewDisposeScope();
        torch.manual_seed(1);
        var head = new LinearHead(400, RowStart.UniformFanIn);
        head.Grow(2);
        head.Grow(50); // no matter how many come at once
        foreach (var (_, parameter) in head.named_parameters())
        {
            Assert.InRange(parameter.abs().max().item<float>(), 0.03f, 0.05f);
            Assert.Equal(1 / Math.Sqrt(3 * 400), parameter.std().item<float>(), 6e-3);
        }
        Assert.Equal("linear-uniform", head.Architecture);
        Assert.Equal("linear-uniform", Architectures.Head("linear-uniform", 3).Architecture);
    }

    [Fact]
    public void New_rows_may_begin_as_Glorot_and_Bengio_do()
    {
        using var scope = torch.NewDisposeScope();
        torch.manual_seed(1);
        var head = Architectures.Head("linear-xavier", 100);
        head.Grow(10);
        var (weight, bias) = (head.get_parameter("weight")!, head.get_parameter("bias")!);
        var bound = Math.Sqrt(6.0 / 110);
        Assert.InRange(weight.abs().max().item<float>(), 0.98 * bound, bound);
        Assert.Equal(bound / Math.Sqrt(3), weight.std().item<float>(), 6e-3);
        Assert.Equal(0, bias.abs().max().item<float>());
        Assert.Equal("linear-xavier", head.Architecture);
    }

    private static ContinualModel Grown(Backbone backbone, int classes)
    {
        var model = new ContinualModel(backbone);
        model.Head.Grow(classes);
        return model;
    }
}
